@echo off
node "%~dp0launch.cjs" "%~dp0..\src\bin\openclaw.ts" %*
