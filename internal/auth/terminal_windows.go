package auth

// terminalDevice is the terminal that this process was started from.
const terminalDevice = "CONOUT$"
