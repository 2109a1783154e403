output "codes" {
  description = "The invite code of each person, by address."
  value       = { for email, invite in chainguard_invite_code.person : email => invite.code }
  sensitive   = true
}

output "invites" {
  description = "The invite of each person, by address: its id, status and end. No secrets."
  value = {
    for email, invite in chainguard_invite_code.person : email => {
      id         = invite.id
      status     = invite.status
      expires_at = invite.expires_at
    }
  }
}
