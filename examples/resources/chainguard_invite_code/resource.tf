# Kim can accept this code once, within five days, to join acme.example as a viewer.
resource "chainguard_invite_code" "kim" {
  group      = "acme.example"
  role       = "viewer"
  email      = "kim@acme.example"
  ttl        = "5d"
  single_use = true
}

# `terraform output -raw kim_invite_code` prints it.
output "kim_invite_code" {
  value     = chainguard_invite_code.kim.code
  sensitive = true
}
