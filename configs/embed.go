package configs

import "embed"

// Files are the built-in plan.yaml, flows/, prompts/ and templates/.
//
//go:embed plan.yaml flows prompts templates
var Files embed.FS
