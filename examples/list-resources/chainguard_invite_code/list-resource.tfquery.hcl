# `terraform query` lists them; `terraform query -generate-config-out=invites.tf` also writes the configuration that
# imports them.
list "chainguard_invite_code" "all" {
  provider = chainguard
  limit    = 1000

  config {
    group     = "acme.example"
    recursive = true
  }
}
