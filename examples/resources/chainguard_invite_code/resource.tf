# Whoever redeems this code joins acme.example as a viewer: within five days, and only as kim@acme.example.
resource "chainguard_invite_code" "kim" {
  group = "acme.example"
  role  = "viewer"
  email = "kim@acme.example"
  ttl   = "5d"
}

# `terraform output -raw kim_invite_code` prints it.
output "kim_invite_code" {
  value     = chainguard_invite_code.kim.code
  sensitive = true
}
