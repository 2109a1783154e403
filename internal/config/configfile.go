package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// openConfigFile finds and reads chainctl's config file: the one that is named, or else the first that exists where
// chainctl looks for it.
func (r *resolver) openConfigFile() {
	switch config := r.block.Config; {
	case config.Unknown:
		r.fileUnknown = true
		r.markUnknown("config")
		r.settings.pending = append(r.settings.pending, "config")
	case config.Set:
		r.readNamedFile(config.Text, levelBlock, originBlock)
	default:
		if name, path := r.env.first([]string{"CHAINCTL_CONFIG"}); path != "" {
			r.readNamedFile(path, levelEnvironment, name)
			return
		}
		r.searchFile()
	}
}

// readNamedFile reads the file that the user asked for: that it cannot be read is an error.
func (r *resolver) readNamedFile(path string, from level, origin string) {
	if err := checkPath(path); err != nil {
		r.problems = append(r.problems, invalid("config", from, origin, err))
		return
	}
	path = r.env.ExpandPath(path)
	problem := Problem{Attribute: "config", Summary: "Cannot Read chainctl's Config File"}

	data, err := r.env.ReadFile(path)
	if err != nil {
		problem.Detail = fmt.Sprintf("%s, which %s names, cannot be read: %s. Correct the path, or leave it out to have "+
			"the file looked for where chainctl keeps it.", path, origin, fileError(err))
		r.problems = append(r.problems, problem)
		return
	}
	file, err := parseConfigFile(path, data)
	if err != nil {
		problem.Detail = fmt.Sprintf("%s, which %s names, is not a chainctl config file: %s. "+
			"`chainctl config validate` says more.", path, origin, err)
		r.problems = append(r.problems, problem)
		return
	}
	r.file = file
}

// searchFile reads the first file that exists where chainctl looks for it. One that is of no use is passed over: the
// user did not ask for it.
func (r *resolver) searchFile() {
	for _, path := range r.env.configFiles() {
		data, err := r.env.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var reason string
		if err != nil {
			reason = fmt.Sprintf("%s cannot be read: %s", path, fileError(err))
		} else if file, err := parseConfigFile(path, data); err != nil {
			reason = fmt.Sprintf("%s is not a chainctl config file: %s", path, err)
		} else {
			r.file = file
			return
		}
		r.problems = append(r.problems, Problem{
			Warning: true,
			Summary: "chainctl's Config File Passed Over",
			Detail:  reason + ". Nothing is taken from it. `chainctl config validate` says more.",
		})
	}
}

// configFiles lists where chainctl looks for its config file, in its order.
func (e Environment) configFiles() []string {
	var paths []string
	if e.WorkDir != "" {
		paths = append(paths, filepath.Join(e.WorkDir, "chainctl", "config.yaml"))
	}
	if e.ConfigDir != "" {
		paths = append(paths, filepath.Join(e.ConfigDir, "chainctl", "config.yaml"))
	}
	if e.HomeDir != "" {
		paths = append(paths, filepath.Join(e.HomeDir, ".chainguard", "config.yaml"))
	}
	return paths
}

// fileError says why a file cannot be read, without the path, which the caller tells.
func fileError(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return err.Error()
}

// configFile is a chainctl config file, as far as it concerns us.
type configFile struct {
	path    string
	entries map[string]entry
}

type entry struct {
	text string
	line int
}

// lookup returns what the file says about a key. An empty value says nothing.
func (f configFile) lookup(key string) (entry, bool) {
	e, found := f.entries[key]
	return e, found
}

// where names the place of an entry.
func (f configFile) where(key string, e entry) string {
	return fmt.Sprintf("%s in %s, line %d", key, f.path, e.line)
}

// parseConfigFile reads a chainctl config file: two levels of keys in YAML. What we do not know is left alone, as
// chainctl may well learn more; the shape of the sections we read has to be right. Errors say the line.
func parseConfigFile(path string, data []byte) (configFile, error) {
	file := configFile{path: path, entries: make(map[string]entry)}

	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return configFile{}, yamlError(err)
	}
	if document.Kind == 0 {
		return file, nil // Nothing but comments.
	}
	root := document.Content[0]
	if isNull(root) {
		return file, nil
	}
	if root.Kind != yaml.MappingNode {
		return configFile{}, fmt.Errorf(`line %d: it must begin with keys such as "platform:"`, root.Line)
	}

	for name, section := range pairs(root) {
		if name != "platform" && name != "default" || isNull(section) {
			continue
		}
		if section.Kind != yaml.MappingNode {
			return configFile{}, fmt.Errorf("line %d: below %q there must be keys", section.Line, name)
		}
		for key, value := range pairs(section) {
			key = name + "." + key
			switch {
			case !readKeys[key], isNull(value):
				continue
			case value.Kind != yaml.ScalarNode:
				return configFile{}, fmt.Errorf("line %d: the value of %q must be a single one", value.Line, key)
			case strings.TrimSpace(value.Value) != "":
				file.entries[key] = entry{text: value.Value, line: value.Line}
			}
		}
	}
	return file, nil
}

// readKeys are the keys that mean something to us.
var readKeys = func() map[string]bool {
	keys := map[string]bool{"default.use-refresh-token": true}
	for _, a := range attributes {
		if a.key != "" {
			keys[a.key] = true
		}
	}
	return keys
}()

// pairs yields the keys of a mapping with their values, aliases resolved.
func pairs(mapping *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			value := mapping.Content[i+1]
			if value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			if !yield(mapping.Content[i].Value, value) {
				return
			}
		}
	}
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// yamlError puts the parser's error into our words: the line first, and nothing in it that a terminal would act on.
func yamlError(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1 // Where the parser names no line, it did not get past the first.
	if found := yamlLine.FindStringSubmatch(text); found != nil {
		line, _ = strconv.Atoi(found[1])
		text = text[len(found[0]):]
	}
	return fmt.Errorf("line %d: %s", line, strings.Trim(strconv.QuoteToGraphic(text), `"`))
}
