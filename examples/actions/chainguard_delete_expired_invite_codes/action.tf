# By itself: terraform apply -invoke=action.chainguard_delete_expired_invite_codes.tidy
action "chainguard_delete_expired_invite_codes" "tidy" {
  config {
    group     = "acme.example"
    recursive = true
  }
}

# Or whenever a person is invited.
resource "chainguard_invite_code" "kim" {
  group = "acme.example"
  role  = "viewer"
  email = "kim@acme.example"

  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.chainguard_delete_expired_invite_codes.tidy]
    }
  }
}
