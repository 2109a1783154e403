# Opens the browser if no other source has a token. org_name selects the organization's own identity provider.
provider "chainguard" {
  login    = "browser"
  org_name = "acme.example"
}
