// Command step-ca serves smallstep's step-ca as its own command does, with nothing taken away: Debian packages the
// library, and leaves the command out. Asked for it, it counts what the database keeps instead, which nobody else can
// read.
//
//	step-ca CONFIGURATION
//	step-ca CONFIGURATION count
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/ca"
	"github.com/smallstep/certificates/db"
	"github.com/smallstep/nosql"
)

func main() {
	file := os.Args[1]
	configured, err := config.LoadConfiguration(file)
	if err == nil && len(os.Args) > 2 {
		err = count(configured.DB)
	} else if err == nil {
		err = serve(configured, file)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// Until SIGTERM, which closes the database.
func serve(configured *config.Config, file string) error {
	authority, err := ca.New(configured, ca.WithConfigFile(file))
	if err != nil {
		return err
	}
	go ca.StopReloaderHandler(authority)
	if err := authority.Run(); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// Each certificate stands there under its serial number, so none is counted twice.
func count(where *db.Config) error {
	opened, err := db.New(where)
	if err != nil {
		return err
	}
	defer opened.Shutdown()
	kept, err := opened.(nosql.DB).List([]byte("x509_certs"))
	if err == nil {
		fmt.Println(len(kept))
	}
	return err
}
