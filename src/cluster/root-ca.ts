/**
 * The certificate of the cluster's authority, as `kube-root-ca.crt` publishes it. Only the certificate exists: the key was
 * thrown away when it was made, and nothing in the engine speaks TLS.
 */
export const ROOT_CA = `-----BEGIN CERTIFICATE-----
MIIBkTCCATegAwIBAgIUPFQ6jwwhCfOYZNzKvorzZC8xwNwwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKa3ViZXJuZXRlczAgFw0yNjExMjIyMzU4NDRaGA8yMTI2MTAy
OTIzNTg0NFowFTETMBEGA1UEAwwKa3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABM0jNeEXZmkHwQB2HgF5+C2aEqjyV0OG0585JLK6g3e5/H8oSCo8
CgacQNqvourrdzioubZzNuNApmesqSEAbx6jYzBhMB0GA1UdDgQWBBS3oe4svbRR
EguSAq6ihTaSux5LCzAfBgNVHSMEGDAWgBS3oe4svbRREguSAq6ihTaSux5LCzAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICpDAKBggqhkjOPQQDAgNIADBF
AiAwsgO3mD6ExgJxscG7WvAQnz2LXghSzzflqaRg9KtEZwIhAJmiMtXsPqsJk5So
5TYPIFeZ6SHn68ADiNZy2AD8SGjf
-----END CERTIFICATE-----
`;
