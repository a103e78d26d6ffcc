"""Common words of names; put together by chance they name nobody."""

# fmt: off
GIVEN = (
    "Adi", "Agus", "Ahmad", "Aji", "Anisa", "Ari", "Bagas", "Bambang", "Bayu", "Budi", "Citra",
    "Dewi", "Dian", "Dimas", "Dwi", "Eka", "Eko", "Endah", "Fajar", "Fitri", "Galih", "Hadi",
    "Hendra", "Indah", "Intan", "Joko", "Kartika", "Khoirul", "Laras", "Lestari", "Lina",
    "Lukman", "Maya", "Mega", "Nining", "Novi", "Nur", "Parmi", "Puji", "Putri", "Rahmat",
    "Ratna", "Rina", "Rizal", "Rudi", "Sari", "Siti", "Slamet", "Sri", "Sugeng", "Surya", "Teguh",
    "Titik", "Tri", "Umi", "Wahyu", "Wati", "Widodo", "Yanto", "Yuni",
)
FAMILY = (
    "Adiputra", "Anggraeni", "Astuti", "Azizah", "Budiman", "Cahyani", "Darmawan", "Fauzi",
    "Firmansyah", "Gunawan", "Handayani", "Hartono", "Hidayat", "Ikhsan", "Iskandar", "Kurniawan",
    "Kusuma", "Latifah", "Lestari", "Mahendra", "Maulana", "Mulyadi", "Nugroho", "Nurhayati",
    "Pamungkas", "Permata", "Prabowo", "Prasetyo", "Pratama", "Purnama", "Puspita", "Rahayu",
    "Rahman", "Riyadi", "Saputra", "Santoso", "Setiawan", "Sulistyo", "Susanti", "Sutrisno",
    "Suryani", "Triyono", "Utami", "Wibowo", "Widiastuti", "Wijaya", "Winarno", "Wulandari",
    "Yulianto", "Zulaikah",
)
# fmt: on
