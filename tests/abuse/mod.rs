//! What callers, PSPs and strangers get wrong or try, and the test that shows what comes of it.
//!
//! No answer in any test may name what is inside or repeat a secret: `Answer` looks at all of them. No log of any dev server may
//! hold one: `Server` looks at it when a test ends.
//!
//! | what is tried | test |
//! |---|---|
//! | an amount of zero | `amounts::an_amount_of_zero_is_refused` |
//! | an amount with a sign | `amounts::an_amount_with_a_sign_is_refused` |
//! | an amount beyond 64 bits, `NaN` | `amounts::an_amount_that_no_64_bits_hold_is_refused` |
//! |  | `amounts::the_largest_amount_keeps_its_digits` |
//! | one amount written in several ways | `amounts::equal_amounts_are_equal_however_they_are_written` |
//! |  | `amounts::a_tenth_and_two_tenths_are_exactly_three_tenths` |
//! | more decimals than the currency has | `amounts::digits_that_the_currency_does_not_have_are_refused` |
//! | grouping, foreign digits | `amounts::an_amount_with_an_exponent_grouping_or_foreign_digits_is_refused` |
//! | another currency, or none | `amounts::a_currency_is_three_capitals_of_iso_4217` |
//! |  | `amounts::a_command_has_no_currency_of_its_own` |
//! | more than is left | `amounts::more_than_is_capturable_is_refused_with_what_is_left_and_exactly_that_is_taken` |
//! |  | `amounts::many_parts_add_up_to_the_whole_and_not_one_cent_more` |
//! | two of 60 % at once | `amounts::of_two_captures_of_sixty_percent_at_once_one_is_made` |
//! |  | `amounts::of_two_refunds_of_sixty_percent_at_once_one_is_made` |
//! | 50 equal commands at once | `keys::fifty_equal_refunds_at_once_are_one_operation` |
//! | a key for another command | `keys::a_key_names_one_command_of_one_kind_on_one_transaction` |
//! | a key of another space | `keys::a_key_of_another_space_tells_nothing` |
//! | an idempotency key that is missing or none | `keys::a_command_without_a_key_is_refused` |
//! |  | `keys::a_key_is_one_to_a_hundred_printable_characters` |
//! |  | `keys::control_characters_in_a_key_do_not_pass` |
//! |  | `keys::a_key_is_no_number_of_a_card` |
//! | an old key | `keys::a_key_lives_as_long_as_its_operation` |
//! | a capture after the end | `states::what_was_released_at_the_psp_cannot_be_captured` |
//! |  | `states::what_is_captured_is_captured` |
//! |  | `states::what_was_voided_is_neither_captured_nor_voided_again` |
//! | a void after the end | `states::nothing_is_voided_after_everything_was_captured_and_after_a_part_only_the_rest` |
//! | a command while another is in doubt | `states::while_a_final_capture_is_in_doubt_nothing_else_is_captured` |
//! |  | `states::while_a_capture_is_in_doubt_nothing_is_voided_and_the_reverse` |
//! | a refund of too much or too early | `states::more_than_was_captured_is_not_refunded_and_what_is_in_doubt_counts` |
//! |  | `states::nothing_is_refunded_before_its_capture_is_final` |
//! | a refund while the capture is pending | `states::nothing_is_refunded_before_its_capture_is_final` |
//! | a stale version | `versions::a_stale_version_stops_a_command_and_leaves_its_key_free` |
//! |  | `versions::two_different_versions_are_a_mistake` |
//! |  | `versions::any_version_will_do_if_the_transaction_exists` |
//! |  | `versions::what_is_no_version_is_refused` |
//! | a second import | `states::a_second_import_asks_nobody_and_changes_nothing` |
//! |  | `states::of_imports_at_once_under_different_references_each_is_told_what_was_stored` |
//! | a payment of another space | `tenants::a_payment_of_another_space_is_asked_for_with_own_credentials_and_not_found` |
//! |  | `tenants::a_connection_of_another_space_is_not_there_to_the_byte` |
//! | a PSP that does not answer | `psp_answers::a_silent_psp_is_given_up_in_time_and_its_webhook_settles_what_it_did` |
//! |  | `psp_answers::a_slow_psp_is_waited_for_and_meanwhile_the_operation_is_there` |
//! |  | `psp_answers::a_psp_that_cannot_be_reached_leaves_the_operation_requested` |
//! | a PSP that did something else | `psp_answers::a_psp_that_did_something_else_than_asked_is_a_matter_for_a_person` |
//! | an answer that proves nothing | `psp_answers::an_answer_that_proves_nothing_leaves_a_capture_unknown_and_its_amount_set_aside` |
//! |  | `psp_answers::the_same_answers_leave_a_refund_unknown` |
//! |  | `psp_answers::an_answer_that_proves_nothing_leaves_an_import_pending` |
//! |  | `psp_answers::a_psp_that_asks_to_wait_was_not_asked_to_pay` |
//! | a forged webhook | `signatures::a_forged_signature_is_refused_and_nothing_is_stored` |
//! |  | `signatures::a_webhook_without_one_of_its_headers_is_refused` |
//! |  | `signatures::a_webhook_that_is_old_or_from_the_future_is_refused` |
//! |  | `signatures::hundreds_of_forgeries_are_refused_and_nothing_is_stored` |
//! | an altered webhook | `signatures::a_body_that_is_not_the_signed_one_to_the_byte_is_refused` |
//! | a webhook a hundred times | `webhooks::a_webhook_that_comes_a_hundred_times_counts_once` |
//! | webhooks out of order, late | `webhooks::a_webhook_that_comes_too_late_or_in_the_wrong_order_takes_nothing_back` |
//! | a webhook about something unknown | `webhooks::what_a_webhook_told_before_the_import_is_applied_at_the_import` |
//! |  | `webhooks::an_authorization_that_meets_its_import_is_not_lost` |
//! |  | `webhooks::an_event_of_an_unknown_kind_is_taken_and_changes_nothing_by_itself` |
//! |  | `webhooks::a_state_of_the_psp_that_nobody_knows_changes_nothing` |
//! | a webhook for another space | `signatures::a_webhook_for_another_space_or_connection_is_refused_like_a_forged_one` |
//! | a webhook that is too large | `webhooks::a_webhook_may_be_256_kilobytes_and_not_a_byte_more` |
//! | hostile JSON | `bodies::what_is_not_one_json_object_is_refused` |
//! |  | `bodies::ten_thousand_levels_of_nesting_do_no_harm` |
//! |  | `bodies::more_properties_than_anything_has_are_refused` |
//! |  | `bodies::a_property_that_appears_twice_is_refused` |
//! |  | `bodies::a_misspelt_property_does_not_capture_everything` |
//! |  | `bodies::a_value_of_another_type_is_refused` |
//! |  | `bodies::a_name_that_could_be_a_secret_is_not_repeated` |
//! | a body that is too large | `bodies::a_body_may_be_256_kilobytes_and_not_a_byte_more` |
//! |  | `bodies::beyond_ten_megabytes_it_is_the_gateway_that_answers` |
//! | text that is none | `bodies::text_that_is_no_text_is_refused` |
//! |  | `limits::no_text_holds_control_characters_but_tabs_and_line_breaks` |
//! | a table that cannot be written | `outages::a_webhook_that_cannot_be_stored_is_not_acknowledged_and_counts_when_it_comes_again` |
//! | ids that are none | `ids::what_is_no_id_is_refused_before_anything_is_looked_up` |
//! |  | `ids::an_escaped_slash_leads_nowhere_either` |
//! |  | `ids::a_path_that_leads_elsewhere_leads_nowhere` |
//! |  | `ids::references_that_look_like_keys_of_the_table_are_only_references` |
//! |  | `ids::a_key_that_names_another_item_finds_none` |
//! | what belongs to another space | `tenants::what_belongs_to_another_space_is_not_there_to_the_byte` |
//! |  | `tenants::a_list_and_its_cursors_end_at_the_space` |
//! |  | `tenants::one_reference_on_two_connections_is_two_payments` |
//! |  | `strangers::ten_thousand_times_what_belongs_to_another_space_is_not_there_to_the_byte` |
//! | too much metadata, card numbers, every script | `limits::metadata_has_its_limits` |
//! |  | `limits::no_text_holds_the_number_of_a_card` |
//! |  | `limits::neither_do_the_texts_of_commands` |
//! |  | `limits::text_of_every_script_comes_back_as_it_was_written` |
//! | headers in texts, too many headers | `headers::no_line_break_comes_back_as_a_header` |
//! |  | `headers::references_and_addresses_hold_no_line_breaks` |
//! |  | `headers::a_request_id_is_echoed_if_it_is_a_plain_one_and_replaced_otherwise` |
//! |  | `headers::ten_kilobytes_of_headers_do_no_harm` |
//! |  | `headers::two_authorizations_are_none` |
//! | API keys that are none or may not | `access::every_route_answers_everybody_as_the_table_says` |
//! |  | `access::the_route_without_keys_answers_nobody_but_the_psp_of_the_connection` |
//! |  | `access::nobody_gets_past_any_route_without_a_key` |
//! |  | `access::every_key_that_is_none_gets_the_same_answer` |
//! |  | `access::a_key_without_the_scope_is_refused_and_no_other_scope_makes_up_for_it` |
//! |  | `access::a_read_key_moves_no_money` |
//! |  | `access::a_key_does_not_belong_into_the_address` |
//! |  | `access::who_asks_comes_before_what_is_asked` |
//! |  | `api_keys::a_key_with_one_wrong_character_is_none` |
//! | API keys that were stolen, have leaked or are old | `api_keys::of_a_key_only_its_hash_is_kept` |
//! |  | `api_keys::two_keys_of_a_client_work_until_one_is_revoked_and_the_other_goes_on` |
//! |  | `api_keys::a_revoked_key_of_a_deployed_stack_opens_nothing_a_minute_later` |
//! |  | `api_keys::a_key_works_until_it_expires_and_not_a_second_longer` |
//! | too many requests, wrong keys among them | `rate::who_asks_too_often_is_told_when_to_come_again_and_is_then_served` |
//! |  | `rate::what_is_refused_has_reached_no_psp_and_stored_nothing` |
//! |  | `rate::a_key_that_is_none_or_may_not_comes_first_and_costs_no_space_anything` |
//! | the clock of the PSP, rotation of its secret | `signatures::a_clock_that_is_a_little_off_is_forgiven` |
//! |  | `signatures::while_secrets_are_rotated_both_count_and_no_third` |
//! | a leap second | `limits::a_leap_second_does_no_harm` |
//! | secrets and texts in the log | `logs::neither_secrets_nor_what_callers_write_get_into_the_log` |
//! | secrets, card numbers and addresses anywhere | `canaries::canaries_are_found_where_they_belong_and_nowhere_else` |
//! | lines that are not the amount | `amounts::lines_that_do_not_add_up_are_refused` |
//! | `null` for an amount | `amounts::no_amount_at_all_is_not_null` |
//! | an amount in the address | `access::an_amount_in_the_address_does_not_capture_everything` |
//! | a body under another content type | `bodies::a_body_counts_whatever_it_is_called` |
//! | a wish to wait that is none | `headers::a_wish_to_wait_that_is_none_is_no_reason_to_wait` |
//! | references and notes without end | `limits::references_and_notes_have_their_limits` |
//! | a trace that is none | `logs::a_trace_is_passed_on_if_it_is_one` |
//! | wrong credentials at the PSP | `psp_answers::wrong_credentials_are_a_refusal_that_tells_nothing_of_them` |
//! | a command for a payment that was not adopted | `states::a_payment_that_was_not_adopted_takes_no_commands` |
//! | a person is to decide | `states::who_is_held_back_by_what_a_person_has_to_decide_is_not_told_when_to_come_back` |
//! | an ERP that asks at its usual pace | `rate::an_erp_at_its_usual_pace_is_never_held_up` |
//! | a webhook in another way | `webhooks::a_body_that_the_gateway_takes_for_binary_is_verified_over_its_bytes` |
//! |  | `webhooks::only_a_post_is_a_webhook` |
//! |  | `webhooks::no_browser_is_told_that_it_may_send_webhooks` |
//! | an event id of any form | `webhooks::an_event_id_of_any_form_is_only_an_id` |
//! | an import failed | `webhooks::a_webhook_about_a_payment_whose_import_failed_is_taken_and_counts_after_the_next_import` |

mod access;
mod amounts;
mod api_keys;
mod bodies;
mod canaries;
pub mod codes;
mod headers;
mod ids;
mod keys;
mod limits;
mod logs;
mod outages;
mod psp_answers;
mod rate;
mod signatures;
mod states;
mod strangers;
mod tenants;
mod versions;
mod webhooks;
