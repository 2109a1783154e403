# One code for each person. A single-use code is worthless once it has been accepted.
resource "chainguard_invite_code" "team" {
  for_each = toset(["ada@acme.example", "lin@acme.example"])

  group      = "acme.example"
  role       = "viewer"
  email      = each.key
  single_use = true
}

output "team_invite_codes" {
  value     = { for email, invite in chainguard_invite_code.team : email => invite.code }
  sensitive = true
}
