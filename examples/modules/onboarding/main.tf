# One single-use invite for each person, for that address only.
resource "chainguard_invite_code" "person" {
  for_each = var.people

  group      = var.group
  role       = each.value
  email      = each.key
  ttl        = var.ttl
  single_use = true
  recreate   = var.reinvite ? "auto" : "never"
  recipients = lookup(var.recipients, each.key, null)

  lifecycle {
    # A misspelled address would otherwise leave a code in plain text.
    precondition {
      condition     = length(setsubtract(keys(var.recipients), keys(var.people))) == 0
      error_message = "Each key of recipients must be a key of people as well."
    }
  }
}
