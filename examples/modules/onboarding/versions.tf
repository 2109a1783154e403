terraform {
  required_version = ">= 1.8"

  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = ">= 0.1"
    }
  }
}
