# A code that outlives the run, stored only in a secret store. That of a plan is deleted when the plan ends.
ephemeral "chainguard_invite_code" "kim" {
  group           = "acme.example"
  role            = "viewer"
  email           = "kim@acme.example"
  ttl             = "2d"
  revoke_on_close = !terraform.applying
}

resource "aws_secretsmanager_secret" "invite" {
  name = "invite-of-kim"
}

# Write-only arguments require Terraform 1.11 or OpenTofu 1.11. Change the version to hand over the code of the next apply.
resource "aws_secretsmanager_secret_version" "invite" {
  secret_id                = aws_secretsmanager_secret.invite.id
  secret_string_wo         = ephemeral.chainguard_invite_code.kim.code
  secret_string_wo_version = 1
}
