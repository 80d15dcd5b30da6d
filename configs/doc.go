// Package configs holds the settings a process starts with, and the plan, flows
// and prompts that are built in.
package configs
