# For a person: renewed until it has been accepted, and then left alone.
resource "chainguard_invite_code" "person" {
  group      = "acme.example"
  role       = "viewer"
  email      = "kim@acme.example"
  single_use = true
}

# For machines: replaced in the ten days before it expires, or on demand. The new code is created first.
resource "chainguard_invite_code" "machines" {
  group        = "acme.example/platform"
  role         = "registry.pull"
  ttl          = "30d"
  renew_before = "10d"

  rotation_triggers = {
    quarter = "2030-Q1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Invited once, and not again if the code expires.
resource "chainguard_invite_code" "guest" {
  group      = "acme.example"
  role       = "console_viewer"
  ttl        = "1d"
  single_use = true
  recreate   = "never"
}
