variable "group" {
  description = "Group that they join: a name, names joined by \"/\", or a UIDP."
  type        = string
  nullable    = false

  validation {
    condition     = length(trimspace(var.group)) > 0
    error_message = "The group must not be empty."
  }
}

variable "people" {
  description = "People to invite: email addresses, each with its role."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for email in keys(var.people) : can(regex("^[^@\\s<>]+@[^@\\s<>]+$", email))])
    error_message = "Each key of people must be one bare email address, such as kim@acme.example."
  }

  validation {
    condition     = alltrue([for email in keys(var.people) : email == lower(email)])
    error_message = "Write addresses in lower case, so that no one is invited twice."
  }

  validation {
    condition     = alltrue([for role in values(var.people) : role != ""])
    error_message = "Each person needs a role, such as viewer."
  }
}

variable "recipients" {
  description = "Public keys (SSH or age) to encrypt codes to: email addresses, each with its keys."
  type        = map(set(string))
  default     = {}
  nullable    = false
}

variable "ttl" {
  description = "How long each code is valid, such as 5d or 36h."
  type        = string
  default     = "7d"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+(\\.[0-9]+)?(w|d|h|m|s))+$", var.ttl))
    error_message = "Write ttl as a duration with a unit, such as 5d, 1w or 36h30m."
  }
}

variable "reinvite" {
  description = "Whether a code that expired before it was accepted is created again."
  type        = bool
  default     = true
  nullable    = false
}
