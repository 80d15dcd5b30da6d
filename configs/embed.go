package configs

import "embed"

// Files are the built-in plan.yaml, flows/, prompts/ and web/.
//
//go:embed plan.yaml flows prompts web
var Files embed.FS
