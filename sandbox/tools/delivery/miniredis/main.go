// miniredis serves the Redis that Argo CD's components share, in memory, at the address given as its only argument.
//
// The password comes from the environment (REDIS_PASSWORD; none means no password), so that it is not seen in a
// list of processes. It ends on SIGINT and SIGTERM.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: miniredis HOST:PORT")
		os.Exit(2)
	}
	server := miniredis.NewMiniRedis()
	if password := os.Getenv("REDIS_PASSWORD"); password != "" {
		server.RequireAuth(password)
	}
	if err := server.StartAddr(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer server.Close()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	// Keys expire only when the server is told that time has passed.
	tick := time.NewTicker(time.Second)
	for {
		select {
		case <-tick.C:
			server.FastForward(time.Second)
		case <-ended:
			return
		}
	}
}
