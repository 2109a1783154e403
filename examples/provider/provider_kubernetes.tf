# The file is read again at each renewal, so it can be one that Kubernetes keeps fresh.
provider "chainguard" {
  identity       = "1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/5f0e2c9b7a41d386"
  identity_token = "/var/run/secrets/chainguard/token"
}
