"""The register of security checks: each line, and the tests that prove it.

A line is a requirement of OWASP ASVS 5.0.0 (`6.2.1`), or a check of the panel's own list (`b21`).
Behind it stand tests as `file::function`. A line that nothing proves yet stands under OPEN with
what is missing; a line is never in both.
"""

from __future__ import annotations

from typing import Final

PROVED: Final = """
1.2.1    test_case_page::test_a_complaint_is_text_not_markup test_engine::test_a_name_full_of_markup_is_just_a_name test_access_matrix::test_who_is_named_is_answered
1.2.4    test_trap_23_malformed::test_trap_23_malformed_parameters_of_a_list test_traps::test_trap_15_only_offered_columns_order_and_filter
1.2.10   test_files::test_no_cell_of_a_csv_begins_a_formula test_files::test_no_cell_of_a_workbook_is_a_formula_or_a_link test_export::test_no_cell_is_a_formula test_dispatch::test_the_export_is_the_list_as_filtered_without_formulas
1.3.4    test_filecheck::test_a_hostile_file_is_refused_with_its_reason
1.5.2    test_traps_sessions::test_trap_10_a_made_up_cookie_is_nobody
2.2.1    test_trap_23_malformed::test_trap_23_hostile_text_in_every_field test_accounts::test_a_bad_user_is_refused_beside_the_field
2.2.2    test_trap_23_malformed::test_trap_23_hostile_text_in_every_field
2.3.1    test_transition_refusals::test_only_the_transitions_of_its_step_move_a_case test_concurrency::test_a_double_click_is_one_click
2.3.3    test_killed::test_a_killed_server_loses_nothing_it_acknowledged_and_leaves_nothing_half_done
2.3.4    test_concurrency::test_one_of_twenty_moves_the_case
2.4.1    test_surface::test_asvs_2_4_1_so_many_lists_a_minute_are_no_person_s test_surface::test_asvs_2_4_1_the_limit_is_on_by_default_and_counts_what_reads_much
3.2.1    test_documents::test_a_file_comes_unchanged_under_safe_headers test_documents::test_an_unexpected_type_is_only_ever_saved
3.3.1    test_surface::test_asvs_3_3_1_the_cookie_is_the_host_s_alone_under_https
3.3.2    test_surface::test_asvs_3_3_2_every_cookie_says_which_sites_send_it
3.3.4    test_surface::test_asvs_3_3_2_every_cookie_says_which_sites_send_it
3.4.1    test_surface::test_asvs_3_4_1_https_is_kept_for_a_year
3.4.2    test_surface::test_asvs_3_4_4_every_answer_carries_the_headers
3.4.3    test_surface::test_asvs_3_4_3_a_page_runs_its_own_scripts_alone
3.4.4    test_surface::test_asvs_3_4_4_every_answer_carries_the_headers
3.4.5    test_surface::test_asvs_3_4_4_every_answer_carries_the_headers
3.4.6    test_surface::test_asvs_3_4_4_every_answer_carries_the_headers
3.5.1    test_access_matrix::test_no_form_is_taken_without_its_token test_traps_sessions::test_trap_03_a_token_of_another_session_is_none test_surface::test_asvs_3_5_1_a_form_from_another_site_changes_nothing
3.5.3    test_access_matrix::test_nothing_happens_on_a_get test_access_matrix::test_who_is_named_is_answered
3.7.2    test_traps_sessions::test_trap_13_signing_in_leads_to_this_host_only test_traps_sessions::test_trap_13_a_language_switch_leads_back_to_this_host_only
4.1.1    test_surface::test_asvs_3_4_4_every_answer_carries_the_headers
4.1.3    test_surface::test_asvs_4_1_3_a_client_s_word_about_itself_changes_nothing
4.2.1    test_live_server::test_asvs_4_2_1_a_request_of_two_meanings_is_refused
5.2.1    test_uploads_view::test_a_request_over_the_limit_is_413_in_words test_uploads_view::test_a_file_over_the_limit_is_refused_with_the_limit
5.2.2    test_filecheck::test_a_hostile_file_is_refused_with_its_reason test_uploads_view::test_a_bad_file_is_refused_in_words
5.2.3    test_filecheck::test_a_hostile_file_is_refused_with_its_reason test_filecheck::test_the_readers_memory_is_bounded
5.3.1    test_filecheck::test_a_hostile_file_is_refused_with_its_reason test_traps::test_trap_11_no_file_is_served_by_its_name
5.3.2    test_filecheck::test_no_name_breaks_a_header_or_leaves_a_folder test_storage::test_a_key_that_is_not_ours_is_refused
5.4.1    test_documents::test_download_saves_it_under_its_name
5.4.2    test_documents::test_download_saves_it_under_its_name test_filecheck::test_a_name_is_kept_for_display_only
5.4.3    test_filecheck::test_a_hostile_file_is_refused_with_its_reason
6.2.1    test_passwords::test_a_weak_password_is_refused_beside_the_field
6.2.2    test_passwords::test_asvs_6_2_2_every_role_changes_its_own_password
6.2.3    test_passwords::test_asvs_6_2_3_only_with_the_present_password
6.2.4    test_passwords::test_a_weak_password_is_refused_beside_the_field
6.2.8    test_passwords::test_a_long_password_is_taken_and_compared_exactly
6.2.9    test_passwords::test_a_long_password_is_taken_and_compared_exactly
6.4.1    test_accounts::test_a_new_user_must_change_his_first_password
7.2.4    test_sessions::test_asvs_7_2_4_b11_signing_in_makes_a_new_session
7.3.1    test_sessions::test_idleness_ends_it_on_the_server test_sessions::test_asvs_7_3_1_work_keeps_it_going_and_looking_at_the_clock_does_not
7.3.2    test_sessions::test_a_day_s_work_ends_it_however_busy
7.4.1    test_sessions::test_all_sessions_end_at_once_with
7.4.2    test_accounts::test_a_deactivated_officer_is_out_at_the_next_request
7.4.3    test_sessions::test_all_sessions_end_at_once_with
7.4.4    test_sessions::test_asvs_7_4_4_every_page_has_the_way_out
7.5.1    test_rights::test_asvs_7_5_1_a_setting_asks_again_who_it_is test_step_up::test_asvs_b8_a_page_of_administration_asks_who_it_is_and_leads_back
8.2.1    test_access_matrix::test_every_route_has_its_expectation test_access_matrix::test_who_is_refused_changes_nothing
8.2.2    test_row_rule::test_a_confidential_case_is_not_there test_documents::test_unknown_and_not_yours_look_the_same
8.2.3    test_row_rule::test_personal_data_are_shown_to_who_may_see_them_only
8.3.1    test_access_matrix::test_an_officer_makes_his_transitions_and_no_other
11.4.2   test_passwords::test_asvs_11_4_2_a_password_is_kept_by_argon2id test_passwords::test_asvs_11_4_2_the_cost_is_what_owasp_asks_for
13.4.2   test_surface::test_asvs_16_5_1_a_failure_shows_a_number_and_nothing_else test_surface::test_asvs_13_4_3_nothing_else_is_reachable
13.4.3   test_surface::test_asvs_13_4_3_nothing_else_is_reachable
13.4.4   test_surface::test_asvs_13_4_4_an_unknown_method_is_not_allowed
13.4.5   test_surface::test_asvs_13_4_5_no_screen_of_flask_appbuilder_is_there_by_accident
14.2.1   test_traps_pages::test_trap_21_what_was_searched_for_is_not_in_the_cookie
14.3.2   test_surface::test_asvs_3_4_4_every_answer_carries_the_headers
14.3.3   test_traps_pages::test_trap_21_what_was_searched_for_is_not_in_the_cookie
15.2.2   test_traps::test_trap_15_a_page_has_a_largest_size
15.3.3   test_traps::test_trap_16_nobody_promotes_himself test_traps::test_trap_06_a_refused_edit_saves_nothing_even_later
16.2.5   test_logs_and_health::test_what_a_line_never_holds test_logs_and_health::test_a_request_is_told_by_its_route_and_not_by_its_address
16.3.2   test_audit::test_asvs_52_a_refusal_is_told_and_nobody_in_particular_is_not
16.5.1   test_surface::test_asvs_16_5_1_a_failure_shows_a_number_and_nothing_else test_traps_pages::test_trap_21_a_failed_statement_says_nothing_of_its_values
16.5.3   test_trap_23_malformed::test_trap_23_any_address test_traps_pages::test_trap_22_a_failed_save_says_so_and_keeps_what_was_typed

b1       test_passwords::test_asvs_b1_fields_let_managers_and_pasting_work test_passwords::test_a_long_password_is_taken_and_compared_exactly
b2       test_passwords::test_a_password_with_ones_own_name_is_refused test_passwords::test_asvs_b2_a_new_user_s_first_password_has_not_his_name test_passwords::test_a_weak_password_is_refused_beside_the_field test_password_rules::test_what_is_guessed_first_is_refused
b3       test_passwords::test_asvs_6_2_3_only_with_the_present_password test_accounts::test_a_new_user_must_change_his_first_password
b8       test_step_up::test_asvs_b8_a_form_sent_late_is_kept_and_goes_through_with_the_answer test_step_up::test_asvs_b8_signing_asks_who_it_is_wherever_it_is_done test_second_factor::test_asvs_b8_with_a_second_factor_the_question_is_a_code
b10      test_accounts::test_a_reset_ends_the_sessions_and_must_be_changed test_sign_in::test_asvs_6_4_1_b10_a_reset_gives_a_password_for_one_use
b11      test_sessions::test_asvs_7_2_4_b11_signing_in_makes_a_new_session
b12      test_sessions::test_all_sessions_end_at_once_with
b13      test_sessions::test_asvs_b13_both_limits_are_settings test_sessions::test_asvs_b13_a_form_left_open_goes_through_after_signing_in_again test_session_end::test_asvs_b13_a_warning_comes_in_time_and_work_goes_on test_sessions::test_idleness_ends_it_on_the_server
b14      test_my_sessions::test_asvs_b14_my_sessions_are_listed_and_others_can_be_ended test_my_sessions::test_asvs_b14_a_sign_in_from_a_new_device_is_shown_at_the_next_page
b15      test_sessions::test_asvs_b15_the_cookies_of_a_session test_surface::test_asvs_3_3_1_the_cookie_is_the_host_s_alone_under_https
b16      test_sessions::test_asvs_b16_signing_out_is_a_post_with_a_token
b17      test_access_matrix::test_every_route_has_its_expectation test_access_matrix::test_who_is_named_is_answered
b18      test_access_matrix::test_who_is_refused_changes_nothing test_access_matrix::test_an_officer_makes_his_transitions_and_no_other
b19      test_row_rule::test_a_confidential_case_is_not_there test_confidential::test_asvs_b19_no_page_tells_of_a_confidential_case test_trap_23_malformed::test_trap_23_malformed_keys
b20      test_traps::test_trap_16_nobody_promotes_himself test_traps_pages::test_trap_22_a_partial_form_wipes_nothing
b21      test_rights::test_asvs_b21_a_manager_gives_no_role_that_can_more_than_he test_rights::test_asvs_b21_an_administrator_gives_himself_nothing test_rights::test_asvs_b21_a_manager_changes_no_account_that_can_more
b22      test_rights::test_asvs_b22_no_code_leaves_the_panel_without_an_administrator test_rights::test_asvs_b22_of_two_who_switch_each_other_off_one_stays
b23      test_duties::test_asvs_b23_not_by_a_button_either test_duties::test_asvs_b23_a_batch_names_the_refused_one_and_does_the_others test_duties::test_asvs_b23_the_command_is_refused_as_well
b24      test_row_rule::test_an_edit_of_a_role_counts_at_the_next_request
b25      test_access_matrix::test_no_form_is_taken_without_its_token test_traps_sessions::test_trap_03_a_token_of_another_session_is_none
b26      test_access_matrix::test_nothing_happens_on_a_get test_access_matrix::test_who_is_named_is_answered
b27      test_surface::test_asvs_3_4_3_a_page_runs_its_own_scripts_alone
b28      test_surface::test_asvs_3_4_4_every_answer_carries_the_headers test_surface::test_asvs_3_4_1_https_is_kept_for_a_year
b29      test_surface::test_asvs_3_4_4_every_answer_carries_the_headers
b30      test_surface::test_asvs_b30_an_unknown_host_is_refused test_traps_sessions::test_trap_13_signing_in_leads_to_this_host_only
b31      test_surface::test_asvs_13_4_4_an_unknown_method_is_not_allowed test_surface::test_asvs_13_4_3_nothing_else_is_reachable test_surface::test_asvs_13_4_5_no_asset_leads_to_its_source
b32      test_conventions::test_nothing_is_loaded_from_another_host test_access_matrix::test_who_is_named_is_answered
b33      test_case_page::test_a_complaint_is_text_not_markup test_engine::test_a_name_full_of_markup_is_just_a_name
b34      test_trap_23_malformed::test_trap_23_any_query_of_any_list test_charts::test_a_bad_url_is_never_an_error
b35      test_traps::test_trap_15_only_offered_columns_order_and_filter
b36      test_traps::test_trap_15_a_page_has_a_largest_size
b37      test_trap_23_malformed::test_trap_23_malformed_keys
b38      test_files::test_no_cell_of_a_csv_begins_a_formula test_files::test_no_cell_of_a_workbook_is_a_formula_or_a_link
b39      test_trap_23_malformed::test_trap_23_hostile_text_in_every_field test_traps_pages::test_trap_22_a_failed_save_says_so_and_keeps_what_was_typed
b42      test_filecheck::test_a_hostile_file_is_refused_with_its_reason
b43      test_traps::test_trap_11_no_file_is_served_by_its_name test_storage::test_keys_are_random_and_fit_their_pattern
b44      test_documents::test_a_file_comes_unchanged_under_safe_headers test_documents::test_the_right_to_download_is_one_of_its_own
b45      test_uploads_view::test_a_pile_of_uploads_is_refused_in_words test_attaching::test_a_case_holds_so_many_files
b46      test_staging::test_a_refused_file_leaves_nothing test_storage::test_files_go_after_the_commit_and_not_before
b47      test_personal_data::test_asvs_b47_the_database_file_and_its_log_hold_nothing_in_clear test_personal_data::test_asvs_b47_a_backup_holds_nothing_in_clear
b48      test_personal_data_rotation::test_asvs_b48_a_kill_in_the_middle_loses_nothing_and_it_goes_on
b49      test_personal_data_reveal::test_asvs_b49_with_a_reason_the_numbers_are_shown_and_logged test_personal_data_reveal::test_asvs_b49_no_list_shows_a_number test_personal_data_reveal::test_asvs_b49_it_needs_its_own_permission
b50      test_personal_data_reveal::test_asvs_b50_nothing_personal_in_urls_titles_cookies_or_logs test_personal_data_reveal::test_asvs_b50_an_error_page_and_its_log_say_nothing_personal test_personal_data_reveal::test_asvs_b50_whatsapp_is_opened_from_an_address_without_the_number
b51      test_personal_data_retention::test_asvs_b51_nothing_of_the_person_is_left_and_the_statistics_stay test_personal_data_retention::test_asvs_b51_what_is_due_is_erased_and_nothing_else
b52      test_audit::test_asvs_52_a_download_a_preview_a_print_and_an_export_are_told test_audit::test_asvs_52_a_refusal_is_told_and_nobody_in_particular_is_not test_audit::test_asvs_52_a_transition_is_told_with_its_moment test_audit::test_asvs_52_changes_of_settings_users_and_roles_tell_themselves test_sign_in_help::test_asvs_16_3_1_b52_what_happens_at_sign_in_is_logged test_audit_page::test_taking_the_log_along_is_told_itself
b53      test_audit::test_rows_follow_each_other_and_each_is_sealed_with_the_one_before test_audit::test_the_database_refuses_to_change_the_log test_audit_proof::test_a_hand_in_the_database_is_found test_audit_proof::test_asvs_53_cut_off_rows_are_found_by_a_head_that_was_kept test_audit_proof::test_the_panel_s_role_may_not
b54      test_logs_and_health::test_what_a_line_never_holds test_logs_and_health::test_asvs_54_a_trace_looks_like_no_other_line test_audit::test_a_detail_holds_no_person_and_no_line
b55      test_logs_and_health::test_what_a_line_never_holds test_faults::test_a_password_is_never_kept_in_that_page
b56      test_surface::test_asvs_16_5_1_a_failure_shows_a_number_and_nothing_else test_logs_and_health::test_asvs_56_an_unexpected_error_shows_the_number_that_log_and_header_have
b57      test_transition_refusals::test_only_the_transitions_of_its_step_move_a_case
b58      test_concurrency::test_one_of_twenty_moves_the_case test_concurrency::test_one_of_twenty_work_forms_is_saved
b59      test_concurrency::test_of_two_editors_the_later_is_told test_asvs::test_asvs_b59_the_second_of_two_editors_is_told_on_every_form
b60      test_batches::test_a_mixed_batch_does_what_it_can_and_says_why_not
b61      test_trap_02_threads::test_trap_02_every_thread_gets_its_own_filters
b62      test_asking::test_a_wrong_number_and_a_wrong_pin_cannot_be_told_apart test_asking::test_one_number_is_tried_a_few_times_only
b64      test_surface::test_asvs_b64_production_does_not_start_with
b65      test_tools::test_asvs_b65_a_known_weakness_fails_the_check test_tools::test_asvs_b65_every_locked_package_has_its_sums
b66      test_live_server::test_asvs_b66_slow_and_silent_clients_stop_nobody
6.2.5      test_passwords::test_a_long_password_is_taken_and_compared_exactly test_password_rules::test_nothing_else_is_asked_of_a_password
6.3.1      test_sign_in::test_asvs_6_3_1_sixty_wrong_passwords_are_slowed_down test_sign_in::test_asvs_6_3_1_each_wait_is_twice_the_one_before test_sign_in::test_asvs_6_3_1_tries_at_once_are_all_counted
6.3.2      test_sign_in::test_asvs_6_3_2_b9_no_account_of_the_release_has_a_known_password
6.3.3      test_second_factor::test_asvs_6_3_3_the_password_alone_opens_nothing test_second_factor::test_asvs_6_3_3_b8_a_role_can_be_told_to_have_one
6.3.4      test_sign_in::test_asvs_6_3_4_there_is_no_other_way_in test_traps_sessions::test_trap_04_there_is_one_way_in_and_it_is_limited
6.3.8      test_sign_in::test_asvs_6_3_8_b6_nobody_learns_whether_a_name_is_known test_sign_in::test_asvs_6_3_8_a_password_is_compared_for_every_name
7.4.5      test_sign_in_help::test_asvs_7_4_5_an_administrator_ends_the_sessions_of_a_user
16.3.1     test_sign_in_help::test_asvs_16_3_1_b52_what_happens_at_sign_in_is_logged
b4         test_sign_in::test_asvs_b4_ten_wrong_tries_from_many_addresses_slow_down_and_the_owner_gets_in test_second_factor::test_asvs_b4_the_owner_gets_in_with_password_and_code_while_strangers_guess test_sign_in_help::test_asvs_b4_a_flood_from_the_office_s_address_keeps_no_known_browser_out
b5         test_sign_in::test_asvs_b5_many_accounts_from_one_address_are_limited test_sign_in::test_asvs_b5_signing_in_oneself_does_not_clear_an_address
b6         test_sign_in::test_asvs_6_3_8_b6_nobody_learns_whether_a_name_is_known
b7         test_second_factor::test_asvs_b7_one_code_is_used_once test_second_factor::test_asvs_b7_of_two_with_the_same_code_at_once_one_is_right test_second_factor::test_the_telephone_may_be_one_step_off test_second_factor::test_asvs_b7_five_wrong_codes_stop test_second_factor::test_asvs_b7_a_recovery_code_works_once test_second_factor::test_asvs_b7_nothing_of_it_stands_in_clear
b9         test_sign_in::test_asvs_6_3_2_b9_no_account_of_the_release_has_a_known_password
"""

#: What is missing, in words.
OPEN: Final = {
    "1.2.2": "a javascript: address in every field",
    "1.2.3": "a stored </script> in the JSON of charts and filters",
    "1.3.7": "{{7*191}} in every field and parameter",
    "12.2.1": "TLS is the proxy's; no proxy runs in the tests",
    "b40": "what an office's template may read",
    "b41": "line breaks in addresses of messages",
    "b63": "a process without root that writes in its data folder alone",
}
