//go:build tools

// Package tools keeps the temporal CLI in go.mod: it is built from here, never imported.
package tools

import _ "github.com/temporalio/cli/cmd/temporal"
