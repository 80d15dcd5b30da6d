package configs

import "embed"

// Files are the built-in plan.yaml, flows/, prompts/, templates/ and web/.
//
//go:embed plan.yaml flows prompts templates web
var Files embed.FS
