# One single-use invite for each person, for that address only.
resource "chainguard_invite_code" "person" {
  for_each = var.people

  group      = var.group
  role       = each.value
  email      = each.key
  ttl        = var.ttl
  single_use = true
  recreate   = var.reinvite ? "auto" : "never"
}
