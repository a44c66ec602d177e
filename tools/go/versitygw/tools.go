//go:build tools

// Package tools keeps versitygw in go.mod: it is built from here, never imported.
package tools

import _ "github.com/versity/versitygw/cmd/versitygw"
