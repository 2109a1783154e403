import {
  to = chainguard_invite_code.kim
  id = "1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/5f0e2c9b7a41d386"
}

resource "chainguard_invite_code" "kim" {
  group      = "acme.example"
  role       = "viewer"
  email      = "kim@acme.example"
  ttl        = "5d"
  single_use = true
}
