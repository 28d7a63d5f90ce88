# Tests the rollback of the last migration on the disposable database that DATABASE_URL names:
#   1. show the current revision      2. apply all migrations      3. roll back one revision
#   4. apply it again                 5. schema, rows and sequences must be as they were
#
#   backout postgres --revision head --sample -- powershell -ExecutionPolicy Bypass -File scripts/test_migration_rollback.ps1
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '..')
$backout = Join-Path (Get-Location) '.venv/Scripts/backout.exe'
if (-not (Test-Path $backout)) { $backout = 'backout' }
& $backout roundtrip
exit $LASTEXITCODE
