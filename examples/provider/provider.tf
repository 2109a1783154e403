terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

# Needs no configuration after `chainctl auth login`, or with CHAINGUARD_TOKEN.
provider "chainguard" {}
