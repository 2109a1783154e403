# Without these defaults, Terraform and OpenTofu make up random strings, which are no UIDPs.
mock_provider "chainguard" {
  mock_data "chainguard_group" {
    defaults = {
      id = "1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/9c0d2e4f6a8b1c3d"
    }
  }

  mock_data "chainguard_role" {
    defaults = {
      id = "5d1f0c3b9a7e2468135790bdf2468ace13579bdf"
    }
  }

  mock_resource "chainguard_invite_code" {
    defaults = {
      id         = "1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/9c0d2e4f6a8b1c3d/5f0e2c9b7a41d386"
      group_id   = "1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/9c0d2e4f6a8b1c3d"
      role_id    = "5d1f0c3b9a7e2468135790bdf2468ace13579bdf"
      role_name  = "viewer"
      ttl        = "168h"
      recreate   = "auto"
      code       = "not-a-code"
      created_at = "2030-01-02T03:04:05Z"
      expires_at = "2030-01-09T03:04:05Z"
      status     = "active"
    }
  }
}

run "invites_kim_to_the_team" {
  assert {
    condition     = chainguard_invite_code.kim.group == data.chainguard_group.team.id
    error_message = "Kim should be invited to the team's group."
  }

  assert {
    condition     = chainguard_invite_code.kim.status == "active" && output.code == "not-a-code"
    error_message = "The invite code should have the values of the mock."
  }
}

run "is_kept_by_the_next_apply" {
  assert {
    condition     = chainguard_invite_code.kim.single_use
    error_message = "The invite should be for a single use."
  }
}
