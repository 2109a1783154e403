package auth

import (
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// browserOpener returns a function that opens a URL in the user's browser and prints nothing.
func browserOpener(getenv func(string) string) func(url string) error {
	return func(url string) error {
		err := errors.New("there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)")
		for _, command := range browserCommands(runtime.GOOS, getenv, url) {
			//nolint:noctx // The browser outlives the sign-in.
			if err = launch(exec.Command(command[0], command[1:]...), 3*time.Second); err == nil {
				return nil
			}
		}
		return err
	}
}

// browserCommands returns the commands to try: first those of the BROWSER variable, a list separated by colons, and
// then the one of the operating system. On Unix without a display there is none, because a browser in the terminal
// would hang invisibly.
func browserCommands(goos string, getenv func(string) string, url string) [][]string {
	var commands [][]string
	for choice := range strings.SplitSeq(getenv("BROWSER"), ":") {
		if command := strings.Fields(choice); len(command) > 0 {
			commands = append(commands, withURL(command, url))
		}
	}
	rundll := []string{"url.dll,FileProtocolHandler", url}
	wsl := getenv("WSL_DISTRO_NAME") != "" || getenv("WSL_INTEROP") != ""
	switch {
	case goos == "windows":
		commands = append(commands, append([]string{"rundll32"}, rundll...))
	case goos == "darwin":
		commands = append(commands, []string{"open", url})
	case wsl:
		commands = append(commands, []string{"wslview", url}, append([]string{"rundll32.exe"}, rundll...))
	case getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != "":
		commands = append(commands, []string{"xdg-open", url})
	}
	return commands
}

// withURL replaces %s by the URL, or appends the URL.
func withURL(command []string, url string) []string {
	var found bool
	for i, argument := range command {
		if strings.Contains(argument, "%s") {
			command[i], found = strings.ReplaceAll(argument, "%s", url), true
		}
	}
	if !found {
		command = append(command, url)
	}
	return command
}

// launch starts a program, which may run as long as the browser does. It returns an error if the program fails soon.
func launch(command *exec.Cmd, soon time.Duration) error {
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(soon):
		return nil
	}
}
