"""Who may do what on the pages, in tables; see `test_page_matrix`."""

# The booking is alice's, at Loft: she is `member`. abroad and ruler are host and manager of another
# space; former was host of Loft until a moment ago, and closed is its manager whose account was
# closed: both have their session yet. boss is a superuser.
# login: asked to sign in; done: it was done, and leads on; led: elsewhere, and nothing was done.
TABLE = """
                             nobody  member  other   abroad  ruler   former  closed  host    manager boss
GET home                     ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET board                    ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET bookings                 login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST bookings                login   done    done    done    done    done    login   done    done    done
GET history                  login   ok      ok      ok      ok      ok      login   ok      ok      ok
GET booking                  login   ok      404     404     404     404     login   404     404     404
GET check_in                 login   ok      404     404     404     404     login   404     404     404
POST check_in                login   done    404     404     404     404     login   404     404     404
GET check_in_link            ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
POST check_in_link           ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET here                     login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST here                    login   done    409     409     409     409     login   409     409     409
GET cancel                   login   ok      404     404     404     404     login   404     404     404
POST cancel                  login   done    404     404     404     404     login   404     404     404
POST reschedule              login   done    404     404     404     404     login   404     404     404
GET guest                    ok      led     led     led     led     led     ok      led     led     led
POST guest                   done    done    done    done    done    done    done    done    done    done
GET guest_booking            ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET guest_cancel             ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
POST guest_cancel            done    done    done    done    done    done    done    done    done    done
POST guest_check_in          done    done    done    done    done    done    done    done    done    done
GET guest_move               ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
POST guest_move              done    done    done    done    done    done    done    done    done    done
GET waiting                  ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
POST waiting_yes             done    done    done    done    done    done    done    done    done    done
POST waiting_no              done    done    done    done    done    done    done    done    done    done
GET leave                    login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST leave                   login   422     422     422     422     422     login   422     422     422
GET door                     ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
POST door check_in           done    done    done    done    done    done    done    done    done    done
POST door use                done    done    done    done    done    done    done    done    done    done
GET join                     ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
POST join                    422     done    done    done    done    done    422     done    done    done
GET staff                    login   403     403     led     led     403     login   led     led     led
GET staff_worker             ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET staff_setup              login   403     403     403     403     403     login   403     403     ok
POST staff_setup             login   403     403     403     403     403     login   403     403     done
GET staff_audit              login   404     404     404     404     404     login   403     ok      ok
GET staff_audit_csv          login   404     404     404     404     404     login   403     ok      ok
GET staff_audit_all          login   403     403     403     403     403     login   403     403     ok
GET staff_audit_all_csv      login   403     403     403     403     403     login   403     403     ok
GET staff_people             login   404     404     404     404     404     login   403     ok      ok
POST staff_people            login   404     404     404     404     404     login   403     done    done
POST staff_invitation resend login   404     404     404     404     404     login   403     done    done
POST staff_invitation revoke login   404     404     404     404     404     login   403     done    done
POST staff_role              login   404     404     404     404     404     login   403     done    done
POST staff_role away         login   404     404     404     404     404     login   403     done    done
GET staff_tiers              login   404     404     404     404     404     login   403     ok      ok
POST staff_tiers             login   404     404     404     404     404     login   403     done    done
POST staff_tier_new          login   404     404     404     404     404     login   403     done    done
GET staff_tier               login   404     404     404     404     404     login   403     ok      ok
POST staff_tier rename       login   404     404     404     404     404     login   403     done    done
POST staff_tier delete       login   404     404     404     404     404     login   403     done    done
POST staff_member            login   404     404     404     404     404     login   403     done    done
GET staff_members_csv        login   404     404     404     404     404     login   403     ok      ok
GET staff_members_import     login   404     404     404     404     404     login   403     ok      ok
POST staff_members_import    login   404     404     404     404     404     login   403     done    done
GET staff_rules              login   404     404     404     404     404     login   ok      ok      ok
GET staff_rule               login   404     404     404     404     404     login   403     ok      ok
POST staff_rule              login   404     404     404     404     404     login   403     done    done
POST staff_rule remove       login   404     404     404     404     404     login   403     done    done
GET staff_seating            login   404     404     404     404     404     login   403     ok      ok
GET staff_shift              login   404     404     404     404     404     login   403     ok      ok
POST staff_shift             login   404     404     404     404     404     login   403     done    done
POST staff_shift remove      login   404     404     404     404     404     login   403     done    done
GET staff_turns              login   404     404     404     404     404     login   403     ok      ok
POST staff_turns             login   404     404     404     404     404     login   403     done    done
GET staff_combination_new    login   404     404     404     404     404     login   403     ok      ok
POST staff_combination_new   login   404     404     404     404     404     login   403     done    done
GET staff_combination        login   404     404     404     404     404     login   403     ok      ok
POST staff_combination       login   404     404     404     404     404     login   403     done    done
POST staff_combination removelogin   404     404     404     404     404     login   403     done    done
GET staff_holidays           login   404     404     404     404     404     login   403     ok      ok
POST staff_holidays yearly   login   404     404     404     404     404     login   403     done    done
POST staff_holidays stop     login   404     404     404     404     404     login   403     done    done
GET staff_guest_json         login   404     404     404     404     404     login   ok      ok      ok
GET staff_guest_csv          login   404     404     404     404     404     login   ok      ok      ok
GET staff_guest_erase        login   404     404     404     404     404     login   ok      ok      ok
POST staff_guest_erase       login   404     404     404     404     404     login   done    done    done
POST staff_guest_links       login   404     404     404     404     404     login   done    done    done
GET staff_day                login   404     404     404     404     404     login   ok      ok      ok
GET staff_day live           login   404     404     404     404     404     login   204     204     204
GET staff_codes              login   404     404     404     404     404     login   ok      ok      ok
GET staff_no_shows           login   404     404     404     404     404     login   ok      ok      ok
POST staff_no_shows          login   404     404     404     404     404     login   done    done    done
GET staff_booking            login   404     404     404     404     404     login   ok      ok      ok
POST staff_booking edit      login   404     404     404     404     404     login   done    done    done
POST staff_booking move      login   404     404     404     404     404     login   done    done    done
POST staff_booking live      login   404     404     404     404     404     login   ok      ok      ok
GET staff_timeline           login   404     404     404     404     404     login   ok      ok      ok
GET staff_timeline live      login   404     404     404     404     404     login   ok      ok      ok
GET staff_walk_in            login   404     404     404     404     404     login   ok      ok      ok
POST staff_walk_in           login   404     404     404     404     404     login   done    done    done
POST undo_walk_in            login   404     404     404     404     404     login   done    done    done
GET staff_waiting            login   404     404     404     404     404     login   ok      ok      ok
GET staff_waiting live       login   404     404     404     404     404     login   204     204     204
POST staff_waiting           login   404     404     404     404     404     login   done    done    done
POST staff_waiting_act ready login   404     404     404     404     404     login   done    done    done
POST staff_waiting_act too   login   404     404     404     404     404     login   done    done    done
POST staff_waiting_act seat  login   404     404     404     404     404     login   done    done    done
POST staff_waiting_act come  login   404     404     404     404     404     login   done    done    done
POST staff_waiting_act left  login   404     404     404     404     404     login   done    done    done
POST staff_waiting_act undo  login   404     404     404     404     404     login   done    done    done
GET staff_phone              login   404     404     404     404     404     login   ok      ok      ok
GET staff_phone live         login   404     404     404     404     404     login   ok      ok      ok
POST staff_phone             login   404     404     404     404     404     login   done    done    done
GET find_guest               login   404     404     404     404     404     login   ok      ok      ok
GET staff_guests             login   404     404     404     404     404     login   ok      ok      ok
GET staff_guests live        login   404     404     404     404     404     login   ok      ok      ok
GET staff_guest              login   404     404     404     404     404     login   ok      ok      ok
POST staff_guest             login   404     404     404     404     404     login   done    done    done
POST staff_visit arrive      login   404     404     404     404     404     login   done    done    done
POST staff_visit seat        login   404     404     404     404     404     login   done    done    done
POST staff_visit leave       login   404     404     404     404     404     login   done    done    done
POST staff_visit no_show     login   404     404     404     404     404     login   done    done    done
POST staff_visit extend      login   404     404     404     404     404     login   done    done    done
POST staff_visit undo        login   404     404     404     404     404     login   done    led     led
GET staff_cancel             login   404     404     404     404     404     login   ok      ok      ok
POST staff_cancel            login   404     404     404     404     404     login   done    done    done
GET staff_numbers            login   404     404     404     404     404     login   ok      ok      ok
GET staff_numbers_csv        login   404     404     404     404     404     login   ok      ok      ok
GET staff_doors              login   404     404     404     404     404     login   403     ok      ok
POST staff_doors             login   404     404     404     404     404     login   403     201     201
GET staff_door_revoke        login   404     404     404     404     404     login   403     ok      ok
POST staff_door_revoke       login   404     404     404     404     404     login   403     done    done
GET calendar_feed            ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET booking_calendar         login   ok      404     404     404     404     login   404     404     404
GET calendar                 login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST calendar                login   led     done    done    done    done    login   done    done    done
GET renew_calendar           login   ok      404     404     404     404     login   404     404     404
POST renew_calendar          login   done    404     404     404     404     login   404     404     404
GET close_calendar           login   ok      404     404     404     404     login   404     404     404
POST close_calendar          login   done    404     404     404     404     login   404     404     404
GET space_calendars          login   404     404     404     404     404     login   ok      ok      ok
POST space_calendars         login   404     404     404     404     404     login   done    done    done
GET notifications            login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST notifications           login   done    done    done    done    done    login   done    done    done
GET unsubscribe              ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
POST unsubscribe             ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET webhook_spaces           login   403     403     ok      ok      403     login   ok      ok      ok
GET webhooks                 login   404     404     404     404     404     login   403     ok      ok
POST webhooks                login   404     404     404     404     404     login   403     201     201
GET webhook                  login   404     404     404     404     404     login   403     ok      ok
POST webhook                 login   404     404     404     404     404     login   403     done    done
POST webhook_ping            login   404     404     404     404     404     login   403     done    done
POST webhook_switch          login   404     404     404     404     404     login   403     done    done
GET webhook_secret           login   404     404     404     404     404     login   403     ok      ok
POST webhook_secret          login   404     404     404     404     404     login   403     ok      ok
GET webhook_remove           login   404     404     404     404     404     login   403     ok      ok
POST webhook_remove          login   404     404     404     404     404     login   403     done    done
GET delivery                 login   404     404     404     404     404     login   403     ok      ok
POST delivery_resend         login   404     404     404     404     404     login   403     done    done
GET register                 ok      led     led     led     led     led     ok      led     led     led
POST register                422     led     led     led     led     led     422     led     led     led
GET login                    ok      led     led     led     led     led     ok      led     led     led
POST login                   422     led     led     led     led     led     422     led     led     led
GET second                   login   led     led     led     led     led     login   led     led     led
POST second                  login   led     led     led     led     led     login   led     led     led
POST passkey_sign_in         login   led     led     led     led     led     login   led     led     led
POST passkey_options         400     400     400     400     400     400     400     400     400     400
GET passkey_add              login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST passkey_add             login   422     422     422     422     422     login   422     422     422
GET passkey_name             login   ok      404     404     404     404     login   404     404     404
POST passkey_name            login   done    404     404     404     404     login   404     404     404
GET passkey_remove           login   ok      404     404     404     404     login   404     404     404
POST passkey_remove          login   done    404     404     404     404     login   404     404     404
GET oidc                     404     404     404     404     404     404     404     404     404     404
GET oidc_back                404     404     404     404     404     404     404     404     404     404
GET oidc_link                login   led     led     led     led     led     login   led     led     led
POST oidc_link               login   led     led     led     led     led     login   led     led     led
GET oidc_unlink              login   led     led     led     led     led     login   led     led     led
POST oidc_unlink             login   led     led     led     led     led     login   led     led     led
GET sessions                 login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST sessions                login   led     led     led     led     led     login   led     led     led
GET sure                     login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST sure                    login   422     422     422     422     422     login   422     422     422
GET factors                  login   ok      ok      ok      ok      ok      login   ok      ok      ok
GET factor_app               login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST factor_app              login   422     422     422     422     422     login   422     422     422
GET factor_app_remove        login   led     led     led     led     led     login   led     led     led
POST factor_app_remove       login   led     led     led     led     led     login   led     led     led
GET factor_codes             login   led     led     led     led     led     login   led     led     led
POST factor_codes            login   led     led     led     led     led     login   led     led     led
POST logout                  led     led     led     led     led     led     led     led     led     led
GET profile                  login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST profile                 login   422     422     422     422     422     login   422     422     422
GET my_data                  login   ok      ok      ok      ok      ok      login   ok      ok      ok
GET my_data_calendar         login   ok      ok      ok      ok      ok      login   ok      ok      ok
GET password                 login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST password                login   422     422     422     422     422     login   422     422     422
GET email                    login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST email                   login   422     422     422     422     422     login   422     422     422
POST email_again             login   led     led     led     led     led     login   led     led     led
GET confirm_email            404     404     404     404     404     404     404     404     404     404
POST confirm_email           404     404     404     404     404     404     404     404     404     404
GET stays                    login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST stays                   login   done    done    done    done    done    login   done    done    done
GET forgotten                ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
POST forgotten               422     422     422     422     422     422     422     422     422     422
GET new_password             404     404     404     404     404     404     404     404     404     404
POST new_password            404     404     404     404     404     404     404     404     404     404
GET tokens                   login   ok      ok      ok      ok      ok      login   ok      ok      ok
POST tokens                  login   422     422     422     422     422     login   422     422     422
GET revoke                   login   ok      404     404     404     404     login   404     404     404
POST revoke                  login   done    404     404     404     404     login   404     404     404
POST language                400     400     400     400     400     400     400     400     400     400
GET again                    login   led     led     led     led     led     login   led     led     led
GET manifest                 ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET favicon                  led     led     led     led     led     led     led     led     led     led
GET healthz                  ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET readyz                   ok      ok      ok      ok      ok      ok      ok      ok      ok      ok
GET metrics                  404     404     404     404     404     404     404     404     404     404
"""  # noqa: E501 - a table

# By whoever has the address, signed in or not. hidden: members don't see the space any more;
# other: another space's, for which all this is as right; member: the booking is a member's now.
BY_KEY_TABLE = """
                             right   wrong   expired revoked hidden  other   member
GET guest_booking            ok      404     404     404     ok      ok      404
GET guest_cancel             ok      404     404     404     ok      ok      404
POST guest_cancel            done    404     404     404     done    done    404
POST guest_check_in          done    404     404     404     done    done    404
GET guest_move               ok      404     404     404     ok      ok      404
POST guest_move              done    404     404     404     422     done    404
GET waiting                  ok      404     404     404     ok      ok      -
POST waiting_yes             done    404     404     404     done    done    -
POST waiting_no              done    404     404     404     done    done    -
GET door                     ok      404     -       404     404     ok      -
POST door check_in           done    404     -       404     404     done    -
POST door use                done    404     -       404     404     done    -
"""


def read(table: str) -> dict[str, dict[str, str]]:
    """Return the answers of each row, by column."""
    head, *lines = table.strip("\n").splitlines()
    columns = head.split()
    return {line[:29].strip(): dict(zip(columns, line[29:].split(), strict=True)) for line in lines}


ROWS, KEYS = read(TABLE), read(BY_KEY_TABLE)
