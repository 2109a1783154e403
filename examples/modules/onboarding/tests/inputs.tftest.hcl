# Invalid inputs fail at plan, before any invite is created.

variables {
  group  = "acme.example"
  people = { "ada@acme.example" = "viewer" }
}

run "refuses_an_address_with_a_name" {
  command = plan

  variables {
    people = { "Ada <ada@acme.example>" = "viewer" }
  }

  expect_failures = [var.people]
}

run "refuses_upper_case" {
  command = plan

  variables {
    people = { "Ada@acme.example" = "viewer" }
  }

  expect_failures = [var.people]
}

run "refuses_a_person_without_a_role" {
  command = plan

  variables {
    people = { "ada@acme.example" = "" }
  }

  expect_failures = [var.people]
}

run "refuses_keys_of_a_person_who_is_not_invited" {
  command = plan

  variables {
    recipients = { "lin@acme.example" = [file("tests/ada.pub")] }
  }

  expect_failures = [chainguard_invite_code.person]
}

run "refuses_a_ttl_without_a_unit" {
  command = plan

  variables {
    ttl = "7"
  }

  expect_failures = [var.ttl]
}
