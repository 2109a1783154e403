terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

# The code is in the state. A short ttl and a single use limit what it is worth there. Once it has been accepted or has
# expired, it is not created again until you ask for it:
#
#   terraform apply -replace=chainguard_invite_code.runner
resource "chainguard_invite_code" "runner" {
  group      = "acme.example/platform"
  role       = "registry.pull"
  ttl        = "1d"
  single_use = true
  recreate   = "never"
}

resource "aws_secretsmanager_secret" "runner" {
  name = "ci/chainguard-invite-code"
}

resource "aws_secretsmanager_secret_version" "runner" {
  secret_id     = aws_secretsmanager_secret.runner.id
  secret_string = chainguard_invite_code.runner.code
}
