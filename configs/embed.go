package configs

import "embed"

// Files are the built-in plan.yaml, flows/ and prompts/.
//
//go:embed plan.yaml flows prompts
var Files embed.FS
