output "codes" {
  description = "The invite code of each person without recipients, by address."
  value       = { for email, invite in chainguard_invite_code.person : email => invite.code if invite.recipients == null }
  sensitive   = true
}

output "encrypted_codes" {
  description = "The invite code of each person with recipients, by address, encrypted to these. No secrets."
  value       = { for email, invite in chainguard_invite_code.person : email => invite.encrypted_code if invite.recipients != null }
}

output "invites" {
  description = "The invite of each person, by address: its id, status and expiration. No secrets."
  value = {
    for email, invite in chainguard_invite_code.person : email => {
      id         = invite.id
      status     = invite.status
      expires_at = invite.expires_at
    }
  }
}
