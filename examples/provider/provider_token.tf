# A token from another program. `ephemeral` (Terraform 1.10) keeps it out of plan files.
variable "chainguard_token" {
  type      = string
  sensitive = true
  ephemeral = true
}

provider "chainguard" {
  token = var.chainguard_token
}
