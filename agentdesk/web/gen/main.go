// Command gen writes src/protocol.gen.ts from the Go types of the desk protocol,
// so that both ends share one vocabulary. Run it with `go generate ./agentdesk/web`.
package main

import (
	"fmt"
	"os"
)

func main() {
	out := "src/protocol.gen.ts"
	text, err := Generate("../..")
	if err == nil {
		err = os.WriteFile(out, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}
