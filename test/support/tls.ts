/**
 * A key and a self-signed certificate for TLS servers of tests: `localhost`, `partner.example`, `*.partner.example`,
 * 127.0.0.1 and ::1, valid from 2024 to 2124. Known to everybody and trusted by nobody: a client accepts it only in a
 * test that hands it over as a CA.
 */
export const TEST_TLS_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgp0qraB5YTlsTpmnQ
W10ZudYYMTnYPVhRB3PHzB/x1K2hRANCAAQw+bwXde/LgcXSUk0jfmRs5kXFDcV2
gD7vP+C81DpLWz0iSAdfsU1Cgl8ycRbf67vH40Cx5Gq6i/Gm36h7I4kw
-----END PRIVATE KEY-----
`;

export const TEST_TLS_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBxTCCAWqgAwIBAgIUemHvcA/76RQjI1JRQv1dKTXMJCQwCgYIKoZIzj0EAwIw
HzEdMBsGA1UEAwwUSG9sZGZhc3QgdGVzdCBzZXJ2ZXIwIBcNMjQwMTAxMDAwMDAw
WhgPMjEyNDAxMDEwMDAwMDBaMB8xHTAbBgNVBAMMFEhvbGRmYXN0IHRlc3Qgc2Vy
dmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMPm8F3Xvy4HF0lJNI35kbOZF
xQ3FdoA+7z/gvNQ6S1s9IkgHX7FNQoJfMnEW3+u7x+NAseRquovxpt+oeyOJMKOB
gTB/MFAGA1UdEQRJMEeCCWxvY2FsaG9zdIIPcGFydG5lci5leGFtcGxlghEqLnBh
cnRuZXIuZXhhbXBsZYcEfwAAAYcQAAAAAAAAAAAAAAAAAAAAATAMBgNVHRMBAf8E
AjAAMB0GA1UdDgQWBBRY1EnRYAMykmfSL1S6UARH4TcBfTAKBggqhkjOPQQDAgNJ
ADBGAiEA6pxl+5KqGEPZ5uSOp0r9AQdfGG2GwIL5MPYUO1emub8CIQCIBSxnEWlh
bXkQt5fiDxTuv1uzqR6ZdA4R32xN/Ltl5Q==
-----END CERTIFICATE-----
`;
