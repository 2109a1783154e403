terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

variable "public_key_file" {
  description = "Path of the invitee's public key."
  type        = string
}

resource "chainguard_invite_code" "kim" {
  group      = "acme.example"
  role       = "viewer"
  email      = "kim@acme.example"
  single_use = true
  recipients = [file(var.public_key_file)]
}

output "kim" {
  description = "Kim's invite code, encrypted to Kim's key: safe to show in a log, a chat or a pull request."
  value       = chainguard_invite_code.kim.encrypted_code
}
