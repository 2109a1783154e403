terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

# Nothing to configure where `chainctl auth login` has been run, or CHAINGUARD_TOKEN is set.
provider "chainguard" {}
