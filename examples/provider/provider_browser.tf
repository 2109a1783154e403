# Opens the browser when no other way gives a token. org_name leads to the organization's own identity provider.
provider "chainguard" {
  login    = "browser"
  org_name = "acme.example"
}
