//go:build tools

// Package tools keeps rest-server in go.mod: it is built from here, never imported.
package tools

import _ "github.com/restic/rest-server/cmd/rest-server"
