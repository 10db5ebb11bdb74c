/* SPDX-License-Identifier: MIT */
/*
 * The log: off unless $LUNA_LOG is "stderr" or the path of a file to append to when C_Initialize
 * runs. One line for every call that fails: time, process, function, slot, return value, reason;
 * and notes on what is set up wrongly. Arguments never appear in it, so no secret can.
 */
#ifndef P11_LOG_H
#define P11_LOG_H

#include <luna/cryptoki_v2.h>

#define P11_LOG_NO_SLOT	((CK_SLOT_ID)-1)

/** p11_log_open() - start logging if the environment wants it (C_Initialize) */
void p11_log_open(void);

/** p11_log_close() - stop logging (C_Finalize, and a forked child) */
void p11_log_close(void);

/**
 * p11_log_reason() - say why the call that this thread is in is going to fail
 * @reason: a string that lives forever
 */
void p11_log_reason(const char *reason);

/**
 * p11_log_result() - log the end of a call if it failed
 * @function: name of the PKCS#11 function
 * @slot: slot it concerned, or P11_LOG_NO_SLOT
 * @rv: what it is going to return
 * Return: @rv.
 */
CK_RV p11_log_result(const char *function, CK_SLOT_ID slot, CK_RV rv);

/**
 * p11_log_note() - log what makes no call fail by itself
 * @text: what is wrong, and what is done instead
 */
void p11_log_note(const char *text);

#endif /* P11_LOG_H */
