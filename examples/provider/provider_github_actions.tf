# On GitHub Actions, the job's own OIDC token is exchanged for a token of this identity. No secret is stored.
provider "chainguard" {
  identity = "1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/5f0e2c9b7a41d386"
}
