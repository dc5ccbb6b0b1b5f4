# Writes the manual page: TEMPLATE with VERSION, and what PROGRAM itself says to --help, to OUTPUT.
execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE HELP COMMAND_ERROR_IS_FATAL ANY)
# What troff would take for its own.
string(REPLACE "\\" "\\e" HELP "${HELP}")
string(REPLACE "-" "\\-" HELP "${HELP}")
string(REGEX REPLACE "\n([.'])" "\n\\\\&\\1" HELP "${HELP}")
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
