//go:build tools

// Package tools keeps restic in go.mod: it is built from here, never imported.
package tools

import _ "github.com/restic/restic/cmd/restic"
