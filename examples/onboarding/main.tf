terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

locals {
  # A spreadsheet may write a byte order mark, or semicolons in place of commas.
  csv = replace(trimprefix(file("${path.module}/people.csv"), "\ufeff"), ";", ",")

  # A person may have several public keys, separated by vertical bars, or none. The column may be missing.
  people = {
    for person in csvdecode(local.csv) : lower(trimspace(person.email)) => {
      role = trimspace(person.role)
      keys = compact([for key in split("|", try(person.keys, "")) : trimspace(key)])
    }
  }
}

# One single-use code for each line of people.csv, for that address only, and encrypted to the keys of the line.
resource "chainguard_invite_code" "person" {
  for_each = local.people

  group      = "acme.example"
  role       = each.value.role
  email      = each.key
  ttl        = "7d"
  single_use = true
  recipients = length(each.value.keys) > 0 ? each.value.keys : null
}

# `terraform output -json encrypted_codes` prints them.
output "encrypted_codes" {
  description = "The invite code of each person with keys, by email address. Only that person can decrypt it."
  value       = { for email, invite in chainguard_invite_code.person : email => invite.encrypted_code if invite.recipients != null }
}

# `terraform output -json codes` prints them.
output "codes" {
  description = "The invite code of each person without keys, by email address."
  value       = { for email, invite in chainguard_invite_code.person : email => invite.code if invite.recipients == null }
  sensitive   = true
}

output "joined" {
  description = "People whose invite no longer exists, in general because they have accepted it."
  value       = [for email, invite in chainguard_invite_code.person : email if invite.status == "consumed"]
}
