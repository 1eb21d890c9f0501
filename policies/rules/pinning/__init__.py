"""Rules about pinning: what is delivered tomorrow from an unchanged program is what was reviewed today."""
