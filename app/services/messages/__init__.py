"""What is said to applicants: the office's texts, the messages made of them, and their sending."""
