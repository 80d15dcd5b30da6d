package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.org/c3i/configs"
)

// printHelp writes what a command does and how to call it.
func printHelp(cmd *cobra.Command, _ []string) {
	out := cmd.OutOrStdout()
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(out, "%s\n\n", strings.TrimSpace(text))
	_ = printUsage(cmd) // it writes where the help goes, whose errors nobody can be told
}

// printUsage writes how to call a command: commands below it, its own flags, then
// the settings by section.
func printUsage(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND"
	}
	fmt.Fprintf(out, "Usage:\n  %s\n", use)
	if cmd.HasAvailableSubCommands() {
		fmt.Fprint(out, "\nCommands:\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() || sub.Name() == "help" {
				fmt.Fprintf(out, "  %-*s  %s\n", cmd.NamePadding(), sub.Name(), sub.Short)
			}
		}
	}
	if cmd.Example != "" {
		fmt.Fprintf(out, "\nExamples:\n%s\n", cmd.Example)
	}
	own, sections := sortFlags(cmd.Flags())
	printFlags(out, "Flags", own)
	hidden := false
	for _, s := range configs.Sections() {
		visible := slices.DeleteFunc(slices.Clone(sections[s.Name]), func(f *pflag.Flag) bool { return f.Hidden })
		hidden = hidden || len(visible) < len(sections[s.Name])
		printFlags(out, "Settings: "+s.Title, visible)
	}
	switch {
	case hidden:
		fmt.Fprint(out, "\nOther settings are taken too, so that one file does for all: see c3i up --help.\n")
	case len(sections) > 0:
		fmt.Fprint(out, "\nEach setting may also stand in the file given with --config, or in the environment\nas C3I_ and its name: C3I_HTTP_LISTEN for --http.listen. docs/operations.md explains all.\n")
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(out, "\nMore: %s COMMAND --help\n", cmd.CommandPath())
	}
	return nil
}

// sortFlags parts a command's own flags from the settings.
func sortFlags(fs *pflag.FlagSet) (own []*pflag.Flag, sections map[string][]*pflag.Flag) {
	sections = map[string][]*pflag.Flag{}
	section := map[string]string{}
	for _, k := range configs.Keys() {
		section[k.Name] = k.Section()
	}
	fs.VisitAll(func(f *pflag.Flag) {
		if s, is := section[f.Name]; is {
			sections[s] = append(sections[s], f)
		} else if !f.Hidden {
			own = append(own, f)
		}
	})
	return own, sections
}

func printFlags(out io.Writer, title string, flags []*pflag.Flag) {
	if len(flags) == 0 {
		return
	}
	names := make([]string, len(flags))
	width := 0
	for i, f := range flags {
		names[i] = "--" + f.Name
		if f.Shorthand != "" {
			names[i] = "-" + f.Shorthand + ", --" + f.Name
		}
		if kind := valueName(f); kind != "" {
			names[i] += " " + kind
		}
		width = max(width, len(names[i]))
	}
	fmt.Fprintf(out, "\n%s:\n", title)
	for i, f := range flags {
		text := f.Usage
		switch f.DefValue {
		case "", "[]", "0", "false", "0s":
		default:
			text += " (default " + strings.Trim(f.DefValue, "[]") + ")"
		}
		fmt.Fprintf(out, "  %-*s  %s\n", width, names[i], text)
	}
}

// valueName says what a flag takes.
func valueName(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return ""
	case "stringSlice":
		return "a,b"
	case "duration":
		return "TIME"
	case "int", "uint64":
		return "N"
	}
	switch {
	case f.Name == "config" || f.Name == "plan" || f.Name == "flow" || strings.HasPrefix(f.Name, "http.tls_"):
		return "FILE"
	case f.Name == "data_dir" || f.Name == "prompts.dir":
		return "FOLDER"
	case strings.HasSuffix(f.Name, "listen"):
		return "HOST:PORT"
	case strings.HasSuffix(f.Name, "program") || f.Name == "prompts.espeak":
		return "PROGRAM"
	}
	return "TEXT"
}
