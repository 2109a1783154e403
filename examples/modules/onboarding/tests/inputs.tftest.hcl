# What is wrong with the inputs is found while planning, before anything is minted.

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

run "refuses_a_ttl_without_a_unit" {
  command = plan

  variables {
    ttl = "7"
  }

  expect_failures = [var.ttl]
}
