# On Google Cloud, the OIDC token of the workload's service account is exchanged for a token of this identity.
provider "chainguard" {
  identity = "1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/5f0e2c9b7a41d386"
}
