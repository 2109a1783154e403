# The runs share a state: each continues where the previous one stopped. At the end, Terraform destroys everything.

variables {
  group = "acme.example/platform"
}

run "invites_each_person" {
  variables {
    people = {
      "ada@acme.example" = "viewer"
      "lin@acme.example" = "invite-manager"
    }
  }

  assert {
    condition     = toset(keys(output.codes)) == toset(["ada@acme.example", "lin@acme.example"])
    error_message = "Each person should get a code, and no one else."
  }

  assert {
    condition     = length(toset(values(output.codes))) == 2
    error_message = "Every code should be different."
  }

  assert {
    condition     = alltrue([for invite in values(output.invites) : invite.status == "active"])
    error_message = "A new invite should be active."
  }

  assert {
    condition     = alltrue([for invite in values(chainguard_invite_code.person) : invite.single_use])
    error_message = "Each invite should be single-use."
  }
}

run "encrypts_codes_to_keys" {
  variables {
    people = {
      "ada@acme.example" = "viewer"
      "lin@acme.example" = "invite-manager"
    }
    recipients = {
      "ada@acme.example" = [file("tests/ada.pub")]
    }
  }

  assert {
    condition     = startswith(output.encrypted_codes["ada@acme.example"], "-----BEGIN AGE ENCRYPTED FILE-----")
    error_message = "The code should be encrypted."
  }

  assert {
    condition     = chainguard_invite_code.person["ada@acme.example"].code == null
    error_message = "The code should not be in the state in plain text."
  }

  assert {
    condition     = keys(output.codes) == ["lin@acme.example"]
    error_message = "The code of a person without keys should stay as it is."
  }
}

run "leaves_others_alone_when_a_person_joins" {
  command = plan

  variables {
    people = {
      "ada@acme.example"  = "viewer"
      "lin@acme.example"  = "invite-manager"
      "noor@acme.example" = "viewer"
    }
    recipients = {
      "ada@acme.example" = ["${trimspace(file("tests/ada.pub"))} on another computer"]
    }
  }

  # In a plan, the id of an invite is known only if the invite stays. An unknown value fails an assertion.
  assert {
    condition     = alltrue([for email in ["ada@acme.example", "lin@acme.example"] : output.invites[email].id != ""])
    error_message = "An invite that did not change should not be created again."
  }
}

run "gives_another_role_and_takes_invites_back" {
  variables {
    people = {
      "ada@acme.example" = "owner"
    }
  }

  assert {
    condition     = chainguard_invite_code.person["ada@acme.example"].role_name == "owner"
    error_message = "The invite should grant the new role."
  }

  assert {
    condition     = toset(keys(output.codes)) == toset(["ada@acme.example"])
    error_message = "A person who was removed should have no code."
  }
}
