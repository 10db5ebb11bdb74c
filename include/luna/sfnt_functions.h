/* SPDX-License-Identifier: MIT */
/*
 * Every CA_ function, one row each: LUNA_CA_FUNCTION(name without CA_, (parameters)). All return
 * CK_RV. Define LUNA_CA_FUNCTION, include this file as often as needed; each inclusion undefines
 * it again. There is no include guard on purpose.
 *
 * The order is the layout of CK_SFNT_CA_FUNCTION_LIST: append, never insert.
 */

/* In the order of the vendor's own list, as far as it is public. */
LUNA_CA_FUNCTION(GetFunctionList, (CK_SFNT_CA_FUNCTION_LIST_PTR_PTR ppFunctionList))
LUNA_CA_FUNCTION(WaitForSlotEvent,
		 (CK_FLAGS flags, CK_ULONG_PTR pulHistory, CK_SLOT_ID_PTR pSlotID,
		  CK_VOID_PTR pReserved))
LUNA_CA_FUNCTION(InitIndirectToken,
		 (CK_SLOT_ID slotID, CK_CHAR_PTR pPin, CK_ULONG ulPinLen, CK_CHAR_PTR pLabel,
		  CK_SESSION_HANDLE hPrimarySession))
LUNA_CA_FUNCTION(InitIndirectPIN,
		 (CK_SESSION_HANDLE hSession, CK_CHAR_PTR pPin, CK_ULONG ulPinLen,
		  CK_SESSION_HANDLE hPrimarySession))
LUNA_CA_FUNCTION(ResetPIN, (CK_SESSION_HANDLE hSession, CK_CHAR_PTR pPin, CK_ULONG ulPinLen))
LUNA_CA_FUNCTION(InitRolePIN,
		 (CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_CHAR_PTR pPin,
		  CK_ULONG ulPinLen))
LUNA_CA_FUNCTION(InitSlotRolePIN,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_USER_TYPE userType,
		  CK_CHAR_PTR pPin, CK_ULONG ulPinLen))
LUNA_CA_FUNCTION(RoleStateGet,
		 (CK_SLOT_ID slotID, CK_USER_TYPE userType, CA_ROLE_STATE_PTR pRoleState))
LUNA_CA_FUNCTION(CreateLoginChallenge,
		 (CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_ULONG ulChallengeDataLen,
		  CK_CHAR_PTR pChallengeData, CK_ULONG_PTR pulChallengeLen, CK_CHAR_PTR pChallenge))
LUNA_CA_FUNCTION(CreateContainerLoginChallenge,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_USER_TYPE userType,
		  CK_ULONG ulChallengeDataLen, CK_CHAR_PTR pChallengeData,
		  CK_ULONG_PTR pulChallengeLen, CK_CHAR_PTR pChallenge))
LUNA_CA_FUNCTION(Deactivate, (CK_SLOT_ID slotID, CK_USER_TYPE userType))
LUNA_CA_FUNCTION(FindAdminSlotForSlot,
		 (CK_SLOT_ID slotID, CK_SLOT_ID_PTR pAdminSlotID, CK_SLOT_ID_PTR pDeviceSlotID))
LUNA_CA_FUNCTION(TokenInsert, (CK_SESSION_HANDLE hSession, CT_TokenHndle hToken, CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(TokenInsertNoAuth, (CT_TokenHndle hToken, CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(TokenZeroize, (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_FLAGS flags))
LUNA_CA_FUNCTION(TokenDelete, (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(OpenSession,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_FLAGS flags,
		  CK_VOID_PTR pApplication, CK_NOTIFY Notify, CK_SESSION_HANDLE_PTR phSession))
LUNA_CA_FUNCTION(OpenSessionWithAppID,
		 (CK_SLOT_ID slotID, CK_FLAGS flags, CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow,
		  CK_VOID_PTR pApplication, CK_NOTIFY Notify, CK_SESSION_HANDLE_PTR phSession))
LUNA_CA_FUNCTION(IndirectLogin,
		 (CK_SESSION_HANDLE hSession, CK_USER_TYPE userType,
		  CK_SESSION_HANDLE hPrimarySession))
LUNA_CA_FUNCTION(InitializeRemotePEDVector, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(DeleteRemotePEDVector, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(GetRemotePEDVectorStatus, (CK_SLOT_ID slotID, CK_ULONG_PTR pulStatus))
LUNA_CA_FUNCTION(ConfigureRemotePED,
		 (CK_SLOT_ID slotID, CK_CHAR_PTR pHostName, CK_ULONG ulPort, CK_ULONG_PTR pulPedId))
LUNA_CA_FUNCTION(DismantleRemotePED, (CK_SLOT_ID slotID, CK_ULONG ulPedId))
LUNA_CA_FUNCTION(Restart, (CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(RestartForContainer, (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber))
LUNA_CA_FUNCTION(CloseApplicationID, (CK_SLOT_ID slotID, CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow))
LUNA_CA_FUNCTION(CloseApplicationIDForContainer,
		 (CK_SLOT_ID slotID, CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow,
		  CK_ULONG ulContainerNumber))
LUNA_CA_FUNCTION(OpenApplicationID, (CK_SLOT_ID slotID, CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow))
LUNA_CA_FUNCTION(OpenApplicationIDForContainer,
		 (CK_SLOT_ID slotID, CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow,
		  CK_ULONG ulContainerNumber))
LUNA_CA_FUNCTION(SetApplicationID, (CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow))
LUNA_CA_FUNCTION(ReadUtilizationMetrics, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(DescribeUtilizationBinId, (CK_ULONG ulBinId, CK_CHAR_PTR pDescription))
LUNA_CA_FUNCTION(ReadAndResetUtilizationMetrics, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(ReadAllUtilizationCounters,
		 (CK_SESSION_HANDLE hSession, CK_UTILIZATION_COUNTER_PTR pCounters,
		  CK_ULONG_PTR pulCount))
LUNA_CA_FUNCTION(SetAuthorizationData,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
		  CK_UTF8CHAR_PTR pOldAuthData, CK_ULONG ulOldAuthDataLen,
		  CK_UTF8CHAR_PTR pNewAuthData, CK_ULONG ulNewAuthDataLen))
LUNA_CA_FUNCTION(AuthorizeKey,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_UTF8CHAR_PTR pAuthData,
		  CK_ULONG ulAuthDataLen))
LUNA_CA_FUNCTION(ManualKCV, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(SetLKCV, (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen))
LUNA_CA_FUNCTION(SetKCV, (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen))
LUNA_CA_FUNCTION(SetRDK, (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen))
LUNA_CA_FUNCTION(SetCloningDomain, (CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen))
LUNA_CA_FUNCTION(ClonePrivateKey,
		 (CK_SESSION_HANDLE hTargetSession, CK_SESSION_HANDLE hSourceSession,
		  CK_OBJECT_HANDLE hObject, CK_OBJECT_HANDLE_PTR phNewObject))
LUNA_CA_FUNCTION(CloneObject,
		 (CK_SESSION_HANDLE hTargetSession, CK_SESSION_HANDLE hSourceSession,
		  CK_ULONG ulObjectType, CK_OBJECT_HANDLE hObject,
		  CK_OBJECT_HANDLE_PTR phNewObject))
LUNA_CA_FUNCTION(GenerateCloningKEV,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pKev, CK_ULONG_PTR pulKevLen))
LUNA_CA_FUNCTION(CloneAsTargetInit,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pTwc, CK_ULONG ulTwcLen, CK_BYTE_PTR pKev,
		  CK_ULONG ulKevLen, CK_BBOOL bReplicate, CK_BYTE_PTR pPart1,
		  CK_ULONG_PTR pulPart1Len))
LUNA_CA_FUNCTION(CloneAsSource,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulObjectType, CK_ULONG ulObjectHandle,
		  CK_BYTE_PTR pPart1, CK_ULONG ulPart1Len, CK_BBOOL bReplicate, CK_BYTE_PTR pPart2,
		  CK_ULONG_PTR pulPart2Len))
LUNA_CA_FUNCTION(CloneAsTarget,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pKev, CK_ULONG ulKevLen,
		  CK_BYTE_PTR pPart2, CK_ULONG ulPart2Len, CK_ULONG ulObjectType,
		  CK_ULONG ulObjectHandle, CK_BBOOL bReplicate, CK_OBJECT_HANDLE_PTR phNewObject))
LUNA_CA_FUNCTION(SetMofN, (CK_BBOOL bFlag))
LUNA_CA_FUNCTION(GenerateMofN,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulM, CA_MOFN_GENERATION_PTR pVectors,
		  CK_ULONG ulVectorCount, CK_ULONG ulUsesSecurePort, CK_VOID_PTR pReserved))
LUNA_CA_FUNCTION(GenerateCloneableMofN,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulM, CA_MOFN_GENERATION_PTR pVectors,
		  CK_ULONG ulVectorCount, CK_ULONG ulUsesSecurePort, CK_VOID_PTR pReserved))
LUNA_CA_FUNCTION(ModifyMofN,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulM, CA_MOFN_GENERATION_PTR pVectors,
		  CK_ULONG ulVectorCount, CK_ULONG ulUsesSecurePort, CK_VOID_PTR pReserved))
LUNA_CA_FUNCTION(CloneMofN,
		 (CK_SESSION_HANDLE hTargetSession, CK_SESSION_HANDLE hSourceSession,
		  CK_VOID_PTR pReserved))
LUNA_CA_FUNCTION(CloneModifyMofN,
		 (CK_SESSION_HANDLE hTargetSession, CK_SESSION_HANDLE hSourceSession,
		  CK_VOID_PTR pReserved))
LUNA_CA_FUNCTION(ActivateMofN,
		 (CK_SESSION_HANDLE hSession, CA_MOFN_ACTIVATION_PTR pVectors,
		  CK_ULONG ulVectorCount))
LUNA_CA_FUNCTION(DeactivateMofN, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(GetMofNStatus, (CK_SLOT_ID slotID, CA_MOFN_STATUS_PTR pStatus))
LUNA_CA_FUNCTION(DuplicateMofN, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(IsMofNEnabled, (CK_SLOT_ID slotID, CK_ULONG_PTR pulEnabled))
LUNA_CA_FUNCTION(IsMofNRequired, (CK_SLOT_ID slotID, CK_ULONG_PTR pulRequired))
LUNA_CA_FUNCTION(GenerateTokenKeys,
		 (CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulTemplateLen))
LUNA_CA_FUNCTION(GetTokenCertificateInfo,
		 (CK_SLOT_ID slotID, CK_ULONG ulType, CK_BYTE_PTR pCertificate,
		  CK_ULONG_PTR pulCertificateLen))
LUNA_CA_FUNCTION(SetTokenCertificateSignature,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulAccessLevel, CK_ULONG ulCustomerId,
		  CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulTemplateLen, CK_BYTE_PTR pSignature,
		  CK_ULONG ulSignatureLen))
LUNA_CA_FUNCTION(GetModuleList,
		 (CK_SLOT_ID slotID, CKCA_MODULE_ID_PTR pModules, CK_ULONG ulModuleCount,
		  CK_ULONG_PTR pulModuleCount))
LUNA_CA_FUNCTION(GetModuleInfo,
		 (CK_SLOT_ID slotID, CKCA_MODULE_ID moduleId, CKCA_MODULE_INFO_PTR pInfo))
LUNA_CA_FUNCTION(LoadModule,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pModule, CK_ULONG ulModuleLen,
		  CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen, CK_BYTE_PTR pCertificate,
		  CK_ULONG ulCertificateLen, CK_BYTE_PTR pControlData, CK_ULONG ulControlDataLen,
		  CKCA_MODULE_ID_PTR pModuleId))
LUNA_CA_FUNCTION(LoadEncryptedModule,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hKey, CK_BYTE_PTR pModule,
		  CK_ULONG ulModuleLen, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen,
		  CK_BYTE_PTR pCertificate, CK_ULONG ulCertificateLen, CK_BYTE_PTR pControlData,
		  CK_ULONG ulControlDataLen, CKCA_MODULE_ID_PTR pModuleId))
LUNA_CA_FUNCTION(UnloadModule, (CK_SESSION_HANDLE hSession, CKCA_MODULE_ID moduleId))
LUNA_CA_FUNCTION(PerformModuleCall,
		 (CK_SESSION_HANDLE hSession, CKCA_MODULE_ID moduleId, CK_BYTE_PTR pRequest,
		  CK_ULONG ulRequestLen, CK_BYTE_PTR pAnswer, CK_ULONG ulAnswerSize,
		  CK_ULONG_PTR pulAnswerLen))
LUNA_CA_FUNCTION(FirmwareUpdate,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulTarget, CK_ULONG ulAuthCodeLen,
		  CK_BYTE_PTR pAuthCode, CK_ULONG ulManifestLen, CK_BYTE_PTR pManifest,
		  CK_ULONG ulFirmwareLen, CK_BYTE_PTR pFirmware))
LUNA_CA_FUNCTION(FirmwareRollback, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(CapabilityUpdate,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulManifestLen, CK_BYTE_PTR pManifest,
		  CK_ULONG ulAuthCodeLen, CK_BYTE_PTR pAuthCode))
LUNA_CA_FUNCTION(GetUserContainerNumber, (CK_SLOT_ID slotID, CK_ULONG_PTR pulContainerNumber))
LUNA_CA_FUNCTION(GetUserContainerName,
		 (CK_SLOT_ID slotID, CK_BYTE_PTR pName, CK_ULONG_PTR pulNameLen))
LUNA_CA_FUNCTION(SetUserContainerName, (CK_SLOT_ID slotID, CK_BYTE_PTR pName, CK_ULONG ulNameLen))
LUNA_CA_FUNCTION(GetTokenInsertionCount, (CK_SLOT_ID slotID, CK_ULONG_PTR pulCount))
LUNA_CA_FUNCTION(GetRollbackFirmwareVersion, (CK_SLOT_ID slotID, CK_ULONG_PTR pulVersion))
LUNA_CA_FUNCTION(GetFPV, (CK_SLOT_ID slotID, CK_ULONG_PTR pulFpv))
LUNA_CA_FUNCTION(GetTPV, (CK_SLOT_ID slotID, CK_ULONG_PTR pulTpv))
LUNA_CA_FUNCTION(GetExtendedTPV,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulTpv, CK_ULONG_PTR pulTpvExtended))
LUNA_CA_FUNCTION(GetConfigurationElementDescription,
		 (CK_SLOT_ID slotID, CK_ULONG ulIsContainerElement, CK_ULONG ulIsCapabilityElement,
		  CK_ULONG ulElementId, CK_ULONG_PTR pulElementBitLength,
		  CK_ULONG_PTR pulElementDestructive, CK_ULONG_PTR pulElementWriteRestricted,
		  CK_CHAR_PTR pDescription, CK_ULONG_PTR pulDescriptionLen))
LUNA_CA_FUNCTION(GetHSMCapabilitySet,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulCapIds, CK_ULONG_PTR pulCapIdCount,
		  CK_ULONG_PTR pulCapValues, CK_ULONG_PTR pulCapValueCount))
LUNA_CA_FUNCTION(GetHSMCapabilitySetting,
		 (CK_SLOT_ID slotID, CK_ULONG ulCapId, CK_ULONG_PTR pulCapValue))
LUNA_CA_FUNCTION(GetHSMPolicySet,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulPolicyIds, CK_ULONG_PTR pulPolicyIdCount,
		  CK_ULONG_PTR pulPolicyValues, CK_ULONG_PTR pulPolicyValueCount))
LUNA_CA_FUNCTION(GetHSMPolicySetting,
		 (CK_SLOT_ID slotID, CK_ULONG ulPolicyId, CK_ULONG_PTR pulPolicyValue))
LUNA_CA_FUNCTION(GetContainerCapabilitySet,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulCapIds,
		  CK_ULONG_PTR pulCapIdCount, CK_ULONG_PTR pulCapValues,
		  CK_ULONG_PTR pulCapValueCount))
LUNA_CA_FUNCTION(GetContainerCapabilitySetting,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_ULONG ulCapId,
		  CK_ULONG_PTR pulCapValue))
LUNA_CA_FUNCTION(GetContainerPolicySet,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulPolicyIds,
		  CK_ULONG_PTR pulPolicyIdCount, CK_ULONG_PTR pulPolicyValues,
		  CK_ULONG_PTR pulPolicyValueCount))
LUNA_CA_FUNCTION(GetContainerPolicySetting,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_ULONG ulPolicyId,
		  CK_ULONG_PTR pulPolicyValue))
LUNA_CA_FUNCTION(SetTPV, (CK_SESSION_HANDLE hSession, CK_ULONG ulTpv))
LUNA_CA_FUNCTION(SetExtendedTPV,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulTpv, CK_ULONG ulTpvExtended))
LUNA_CA_FUNCTION(SetHSMPolicy,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulPolicyId, CK_ULONG ulPolicyValue))
LUNA_CA_FUNCTION(SetHSMPolicies,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulPolicyCount, CK_ULONG_PTR pulPolicyIds,
		  CK_ULONG_PTR pulPolicyValues))
LUNA_CA_FUNCTION(SetDestructiveHSMPolicy,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulPolicyId, CK_ULONG ulPolicyValue))
LUNA_CA_FUNCTION(SetDestructiveHSMPolicies,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulPolicyCount, CK_ULONG_PTR pulPolicyIds,
		  CK_ULONG_PTR pulPolicyValues))
LUNA_CA_FUNCTION(SetContainerPolicy,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulPolicyId,
		  CK_ULONG ulPolicyValue))
LUNA_CA_FUNCTION(SetContainerPolicies,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulPolicyCount,
		  CK_ULONG_PTR pulPolicyIds, CK_ULONG_PTR pulPolicyValues))
LUNA_CA_FUNCTION(GetTokenCapabilities,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulCapIds, CK_ULONG_PTR pulCapIdCount,
		  CK_ULONG_PTR pulCapValues, CK_ULONG_PTR pulCapValueCount))
LUNA_CA_FUNCTION(SetTokenPolicies,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_ULONG ulPolicyCount,
		  CK_ULONG_PTR pulPolicyIds, CK_ULONG_PTR pulPolicyValues))
LUNA_CA_FUNCTION(GetTokenPolicies,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulPolicyIds, CK_ULONG_PTR pulPolicyIdCount,
		  CK_ULONG_PTR pulPolicyValues, CK_ULONG_PTR pulPolicyValueCount))
LUNA_CA_FUNCTION(RetrieveLicenseList,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulLicenseCount, CK_ULONG_PTR pulLicenseIds))
LUNA_CA_FUNCTION(QueryLicense,
		 (CK_SLOT_ID slotID, CK_ULONG ulLicenseIdHigh, CK_ULONG ulLicenseIdLow,
		  CK_ULONG_PTR pulLicenseType, CK_ULONG_PTR pulLicenseVersion,
		  CK_ULONG_PTR pulDescriptionLen, CK_BYTE_PTR pDescription))
LUNA_CA_FUNCTION(GetContainerStatus,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulStatusFlags,
		  CK_ULONG_PTR pulFailedSoLogins, CK_ULONG_PTR pulFailedUserLogins,
		  CK_ULONG_PTR pulFailedLimitedUserLogins))
LUNA_CA_FUNCTION(GetTokenStatus,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulStatusFlags, CK_ULONG_PTR pulFailedSoLogins,
		  CK_ULONG_PTR pulFailedUserLogins))
LUNA_CA_FUNCTION(GetSessionInfo,
		 (CK_SESSION_HANDLE hSession, CK_ULONG_PTR pulAppIdHigh, CK_ULONG_PTR pulAppIdLow,
		  CK_ULONG_PTR pulContainerNumber, CK_ULONG_PTR pulAuthenticationLevel))
LUNA_CA_FUNCTION(GetCVFirmwareVersion,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulMajor, CK_ULONG_PTR pulMinor,
		  CK_ULONG_PTR pulSubMinor))
LUNA_CA_FUNCTION(ReadCommonStore,
		 (CK_ULONG ulIndex, CK_BYTE_PTR pBuffer, CK_ULONG_PTR pulBufferLen))
LUNA_CA_FUNCTION(WriteCommonStore, (CK_ULONG ulIndex, CK_BYTE_PTR pBuffer, CK_ULONG ulBufferLen))
LUNA_CA_FUNCTION(GetPrimarySlot, (CK_SESSION_HANDLE hSession, CK_SLOT_ID_PTR pSlotID))
LUNA_CA_FUNCTION(GetSecondarySlot, (CK_SESSION_HANDLE hSession, CK_SLOT_ID_PTR pSlotID))
LUNA_CA_FUNCTION(SwitchSecondarySlot,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_ULONG ulSlotInstance))
LUNA_CA_FUNCTION(CloseSecondarySession,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_ULONG ulSlotInstance))
LUNA_CA_FUNCTION(CloseAllSecondarySessions, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(ChoosePrimarySlot, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(ChooseSecondarySlot, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(CloneObjectToAllSessions, (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject))
LUNA_CA_FUNCTION(CloneAllObjectsToSession, (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(ResetDevice, (CK_SLOT_ID slotID, CK_FLAGS flags))
LUNA_CA_FUNCTION(Zeroize, (CK_SLOT_ID slotID, CK_FLAGS flags))
LUNA_CA_FUNCTION(FactoryReset, (CK_SLOT_ID slotID, CK_FLAGS flags))
LUNA_CA_FUNCTION(SetPedId, (CK_SLOT_ID slotID, CK_ULONG ulPedId))
LUNA_CA_FUNCTION(GetPedId, (CK_SLOT_ID slotID, CK_ULONG_PTR pulPedId))
LUNA_CA_FUNCTION(SpRawRead, (CK_SLOT_ID slotID, CK_ULONG_PTR pulData))
LUNA_CA_FUNCTION(SpRawWrite, (CK_SLOT_ID slotID, CK_ULONG_PTR pulData))
LUNA_CA_FUNCTION(CheckOperationState,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulOperation, CK_BBOOL_PTR pbActive))
LUNA_CA_FUNCTION(DestroyMultipleObjects,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulObjectCount,
		  CK_OBJECT_HANDLE_PTR phObjects, CK_ULONG_PTR pulFailedIndex))
LUNA_CA_FUNCTION(OpenSecureToken,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulStorage, CK_ULONG ulPedId,
		  CK_ULONG ulIndex, CK_ULONG ulMode, CK_ULONG_PTR pulObjectCount,
		  CK_ULONG_PTR pulHandle, CK_ULONG ulNameLen, CK_CHAR_PTR pName))
LUNA_CA_FUNCTION(CloseSecureToken, (CK_SESSION_HANDLE hSession, CK_ULONG ulHandle))
LUNA_CA_FUNCTION(ListSecureTokenInit,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulStorage, CK_ULONG ulPedId,
		  CK_ULONG_PTR pulItemCount, CK_ULONG_PTR pulListLen, CK_BYTE_PTR pList))
LUNA_CA_FUNCTION(ListSecureTokenUpdate,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulStorage, CK_ULONG ulPedId,
		  CK_BYTE_PTR pList, CK_ULONG ulListLen))
LUNA_CA_FUNCTION(GetSecureElementMeta,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulHandle, CK_MECHANISM_PTR pMechanism,
		  CK_ULONG_PTR pulObjectType, CK_ULONG_PTR pulObjectHandle, CK_BYTE_PTR pName,
		  CK_ULONG ulNameLen))
LUNA_CA_FUNCTION(HAInit, (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hLoginKey))
LUNA_CA_FUNCTION(HAInitExtended,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hLoginKey, CK_BYTE_PTR pPkc,
		  CK_ULONG ulPkcLen, CK_ULONG_PTR pulUserTypes, CK_ULONG_PTR pulTokenTypes,
		  CK_ULONG ulRoleCount))
LUNA_CA_FUNCTION(HAGetMasterPublic,
		 (CK_SLOT_ID slotID, CK_BYTE_PTR pCertificate, CK_ULONG_PTR pulCertificateLen))
LUNA_CA_FUNCTION(HAGetLoginChallenge,
		 (CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_BYTE_PTR pCertificate,
		  CK_ULONG ulCertificateLen, CK_BYTE_PTR pChallenge, CK_ULONG_PTR pulChallengeLen))
LUNA_CA_FUNCTION(HAAnswerLoginChallenge,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hLoginKey, CK_BYTE_PTR pChallenge,
		  CK_ULONG ulChallengeLen, CK_BYTE_PTR pEncryptedPin,
		  CK_ULONG_PTR pulEncryptedPinLen))
LUNA_CA_FUNCTION(HALogin,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPin, CK_ULONG ulEncryptedPinLen,
		  CK_BYTE_PTR pMofNBlob, CK_ULONG_PTR pulMofNBlobLen))
LUNA_CA_FUNCTION(HAAnswerMofNChallenge,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pMofNBlob, CK_ULONG ulMofNBlobLen,
		  CK_BYTE_PTR pMofNSecret, CK_ULONG_PTR pulMofNSecretLen))
LUNA_CA_FUNCTION(HAActivateMofN,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pMofNSecret, CK_ULONG ulMofNSecretLen))
LUNA_CA_FUNCTION(GetHAState, (CK_SLOT_ID slotID, CK_HA_STATE_PTR pState))
LUNA_CA_FUNCTION(GetTokenCertificates,
		 (CK_SLOT_ID slotID, CK_ULONG ulType, CK_BYTE_PTR pCertificates,
		  CK_ULONG_PTR pulCertificatesLen))
LUNA_CA_FUNCTION(ExtractMaskedObject,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulObjectHandle, CK_BYTE_PTR pMaskedObject,
		  CK_ULONG_PTR pulMaskedObjectLen))
LUNA_CA_FUNCTION(InsertMaskedObject,
		 (CK_SESSION_HANDLE hSession, CK_ULONG_PTR pulObjectHandle,
		  CK_BYTE_PTR pMaskedObject, CK_ULONG ulMaskedObjectLen))
LUNA_CA_FUNCTION(MultisignValue,
		 (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_ULONG ulMaskedKeyLen,
		  CK_BYTE_PTR pMaskedKey, CK_ULONG_PTR pulBlobCount, CK_ULONG_PTR pulBlobLens,
		  CK_BYTE_PTR_PTR ppBlobs, CK_ULONG_PTR pulSignatureLens,
		  CK_BYTE_PTR_PTR ppSignatures))
LUNA_CA_FUNCTION(SIMExtract,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulHandleCount,
		  CK_OBJECT_HANDLE_PTR phObjects, CK_ULONG ulAuthSecretCount,
		  CK_ULONG ulAuthSubsetCount, CKA_SIM_AUTH_FORM authForm,
		  CK_ULONG_PTR pulAuthSecretLens, CK_BYTE_PTR_PTR ppAuthSecrets,
		  CK_BBOOL bDeleteAfterExtract, CK_ULONG_PTR pulBlobLen, CK_BYTE_PTR pBlob))
LUNA_CA_FUNCTION(SIMInsert,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulAuthSecretCount,
		  CKA_SIM_AUTH_FORM authForm, CK_ULONG_PTR pulAuthSecretLens,
		  CK_BYTE_PTR_PTR ppAuthSecrets, CK_ULONG ulBlobLen, CK_BYTE_PTR pBlob,
		  CK_ULONG_PTR pulHandleCount, CK_OBJECT_HANDLE_PTR phObjects))
LUNA_CA_FUNCTION(SIMMultiSign,
		 (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
		  CK_ULONG ulAuthSecretCount, CKA_SIM_AUTH_FORM authForm,
		  CK_ULONG_PTR pulAuthSecretLens, CK_BYTE_PTR_PTR ppAuthSecrets,
		  CK_ULONG ulKeyBlobLen, CK_BYTE_PTR pKeyBlob, CK_ULONG ulInputCount,
		  CK_ULONG_PTR pulInputLens, CK_BYTE_PTR_PTR ppInputs,
		  CK_ULONG_PTR pulSignatureLens, CK_BYTE_PTR_PTR ppSignatures))
LUNA_CA_FUNCTION(Extract, (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism))
LUNA_CA_FUNCTION(Insert, (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism))
LUNA_CA_FUNCTION(GetTokenObjectUID,
		 (CK_SLOT_ID slotID, CK_ULONG ulObjectType, CK_ULONG ulObjectHandle,
		  CK_BYTE_PTR pOuid))
LUNA_CA_FUNCTION(GetTokenObjectHandle,
		 (CK_SLOT_ID slotID, CK_BYTE_PTR pOuid, CK_ULONG_PTR pulObjectType,
		  CK_ULONG_PTR pulObjectHandle))
LUNA_CA_FUNCTION(GetObjectUID,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_ULONG ulObjectType,
		  CK_ULONG ulObjectHandle, CK_BYTE_PTR pOuid))
LUNA_CA_FUNCTION(GetObjectHandle,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_BYTE_PTR pOuid,
		  CK_ULONG_PTR pulObjectType, CK_ULONG_PTR pulObjectHandle))
LUNA_CA_FUNCTION(DeleteContainer, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(MTKSetStorage, (CK_SESSION_HANDLE hSession, CK_ULONG ulStorage))
LUNA_CA_FUNCTION(MTKRestore, (CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(MTKResplit, (CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(MTKZeroize, (CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(MTKGetState, (CK_SLOT_ID slotID, CK_ULONG_PTR pulFlags))
LUNA_CA_FUNCTION(STMToggle, (CK_SESSION_HANDLE hSession, CK_ULONG ulEnable))
LUNA_CA_FUNCTION(STMGetState, (CK_SLOT_ID slotID, CK_ULONG_PTR pulFlags))
LUNA_CA_FUNCTION(GetTSV, (CK_SLOT_ID slotID, CK_ULONG_PTR pulTsv))
LUNA_CA_FUNCTION(InvokeServiceInit, (CK_SESSION_HANDLE hSession, CK_ULONG ulServiceId))
LUNA_CA_FUNCTION(InvokeService,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pBuffer, CK_ULONG ulBufferLen,
		  CK_ULONG_PTR pulResult))
LUNA_CA_FUNCTION(InvokeServiceFinal,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pBuffer, CK_ULONG_PTR pulBufferLen))
LUNA_CA_FUNCTION(InvokeServiceAsynch,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulServiceId, CK_BYTE_PTR pBuffer,
		  CK_ULONG ulBufferLen))
LUNA_CA_FUNCTION(InvokeServiceSinglePart,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulServiceId, CK_BYTE_PTR pInput,
		  CK_ULONG ulInputLen, CK_BYTE_PTR pOutput, CK_ULONG_PTR pulOutputLen))
LUNA_CA_FUNCTION(EncodeECPrimeParams,
		 (CK_BYTE_PTR pDerParams, CK_ULONG_PTR pulDerParamsLen, CK_BYTE_PTR pPrime,
		  CK_ULONG ulPrimeLen, CK_BYTE_PTR pCoefficientA, CK_ULONG ulCoefficientALen,
		  CK_BYTE_PTR pCoefficientB, CK_ULONG ulCoefficientBLen, CK_BYTE_PTR pSeed,
		  CK_ULONG ulSeedLen, CK_BYTE_PTR pBaseX, CK_ULONG ulBaseXLen, CK_BYTE_PTR pBaseY,
		  CK_ULONG ulBaseYLen, CK_BYTE_PTR pOrder, CK_ULONG ulOrderLen,
		  CK_BYTE_PTR pCofactor, CK_ULONG ulCofactorLen))
LUNA_CA_FUNCTION(EncodeECChar2Params,
		 (CK_BYTE_PTR pDerParams, CK_ULONG_PTR pulDerParamsLen, CK_ULONG ulM, CK_ULONG ulK1,
		  CK_ULONG ulK2, CK_ULONG ulK3, CK_BYTE_PTR pCoefficientA,
		  CK_ULONG ulCoefficientALen, CK_BYTE_PTR pCoefficientB, CK_ULONG ulCoefficientBLen,
		  CK_BYTE_PTR pSeed, CK_ULONG ulSeedLen, CK_BYTE_PTR pBaseX, CK_ULONG ulBaseXLen,
		  CK_BYTE_PTR pBaseY, CK_ULONG ulBaseYLen, CK_BYTE_PTR pOrder, CK_ULONG ulOrderLen,
		  CK_BYTE_PTR pCofactor, CK_ULONG ulCofactorLen))
LUNA_CA_FUNCTION(EncodeECParamsFromFile,
		 (CK_BYTE_PTR pDerParams, CK_ULONG_PTR pulDerParamsLen, CK_BYTE_PTR pFileName))
LUNA_CA_FUNCTION(GetHSMStats,
		 (CK_SLOT_ID slotID, CK_ULONG ulStatCount, CK_ULONG_PTR pulStatIds,
		  HSM_STATS_PARAMS_PTR pStats))
LUNA_CA_FUNCTION(GetHSMStorageInformation,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulContainerOverhead, CK_ULONG_PTR pulTotal,
		  CK_ULONG_PTR pulUsed, CK_ULONG_PTR pulFree))
LUNA_CA_FUNCTION(GetTokenStorageInformation,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulContainerOverhead, CK_ULONG_PTR pulTotal,
		  CK_ULONG_PTR pulUsed, CK_ULONG_PTR pulFree, CK_ULONG_PTR pulObjectCount))
LUNA_CA_FUNCTION(GetContainerStorageInformation,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulContainerOverhead,
		  CK_ULONG_PTR pulTotal, CK_ULONG_PTR pulUsed, CK_ULONG_PTR pulFree,
		  CK_ULONG_PTR pulObjectCount))
LUNA_CA_FUNCTION(SetContainerSize,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulSize))
LUNA_CA_FUNCTION(CreateContainer,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulType, CK_CHAR_PTR pLabel,
		  CK_ULONG ulLabelLen, CK_CHAR_PTR pPin, CK_ULONG ulPinLen, CK_ULONG ulReserved1,
		  CK_ULONG ulReserved2, CK_ULONG ulReserved3, CK_ULONG ulReserved4,
		  CK_ULONG ulStorageSize, CK_ULONG_PTR pulContainerNumber))
LUNA_CA_FUNCTION(InitAudit,
		 (CK_SLOT_ID slotID, CK_CHAR_PTR pPin, CK_ULONG ulPinLen, CK_CHAR_PTR pLabel))
LUNA_CA_FUNCTION(LogVerify,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pRecords, CK_ULONG ulRecordsLen,
		  CK_ULONG ulRecordCount, CK_ULONG_PTR pulVerifiedCount))
LUNA_CA_FUNCTION(LogVerifyFile,
		 (CK_SESSION_HANDLE hSession, CK_CHAR_PTR pFileName, CK_ULONG_PTR pulVerifiedCount))
LUNA_CA_FUNCTION(LogExternal,
		 (CK_SLOT_ID slotID, CK_SESSION_HANDLE hSession, CK_CHAR_PTR pMessage,
		  CK_ULONG ulMessageLen))
LUNA_CA_FUNCTION(LogImportSecret,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSecret, CK_ULONG ulSecretLen))
LUNA_CA_FUNCTION(LogExportSecret,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSecret, CK_ULONG_PTR pulSecretLen))
LUNA_CA_FUNCTION(TimeSync, (CK_SESSION_HANDLE hSession, CK_ULONG ulTime))
LUNA_CA_FUNCTION(GetTime, (CK_SESSION_HANDLE hSession, CK_ULONG_PTR pulTime))
LUNA_CA_FUNCTION(LogSetConfig,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulLogMask, CK_ULONG ulRotationOffset,
		  CK_ULONG ulRotationInterval, CK_ULONG ulMaxLogSize, CK_BYTE_PTR pPath))
LUNA_CA_FUNCTION(LogGetConfig,
		 (CK_SESSION_HANDLE hSession, CK_ULONG_PTR pulLogMask,
		  CK_ULONG_PTR pulRotationOffset, CK_ULONG_PTR pulRotationInterval,
		  CK_ULONG_PTR pulMaxLogSize, CK_BYTE_PTR pPath))
LUNA_CA_FUNCTION(ReplaceFastPathKEK, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(LogGetStatus,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulStatus1, CK_ULONG_PTR pulStatus2,
		  CK_ULONG_PTR pulStatus3, CK_ULONG_PTR pulStatus4, CK_ULONG_PTR pulStatus5))
LUNA_CA_FUNCTION(DeleteContainerWithHandle,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber))
LUNA_CA_FUNCTION(GetContainerList,
		 (CK_SLOT_ID slotID, CK_ULONG ulGroupNumber, CK_ULONG ulContainerType,
		  CK_ULONG_PTR pulContainerNumbers, CK_ULONG_PTR pulContainerCount))
LUNA_CA_FUNCTION(GetContainerName,
		 (CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_BYTE_PTR pName,
		  CK_ULONG_PTR pulNameLen))
LUNA_CA_FUNCTION(GetNumberOfAllowedContainers, (CK_SLOT_ID slotID, CK_ULONG_PTR pulCount))
LUNA_CA_FUNCTION(GetTunnelSlotNumber, (CK_SLOT_ID slotID, CK_SLOT_ID_PTR pTunnelSlotID))
LUNA_CA_FUNCTION(GetClusterState, (CK_SLOT_ID slotID, CK_CLUSTER_STATE_PTR pState))
LUNA_CA_FUNCTION(LockClusteredSlot, (CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(UnlockClusteredSlot, (CK_SLOT_ID slotID))
LUNA_CA_FUNCTION(LKMInitiatorChallenge,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hMacKey,
		  CK_OBJECT_HANDLE hEncryptionKey, CK_ULONG ulFlags,
		  CK_LKM_TOKEN_ID_PTR pInitiatorId, CK_LKM_TOKEN_ID_PTR pReceiverId,
		  CK_CHAR_PTR pChallenge, CK_ULONG_PTR pulChallengeLen))
LUNA_CA_FUNCTION(LKMReceiverResponse,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hMacKey,
		  CK_OBJECT_HANDLE hEncryptionKey, CK_ULONG ulFlags,
		  CK_LKM_TOKEN_ID_PTR pReceiverId, CK_CHAR_PTR pChallenge, CK_ULONG ulChallengeLen,
		  CK_CHAR_PTR pResponse, CK_ULONG_PTR pulResponseLen))
LUNA_CA_FUNCTION(LKMInitiatorComplete,
		 (CK_SESSION_HANDLE hSession, CK_CHAR_PTR pResponse, CK_ULONG ulResponseLen,
		  CK_ATTRIBUTE_PTR pTemplate1, CK_ULONG ulTemplate1Len, CK_ATTRIBUTE_PTR pTemplate2,
		  CK_ULONG ulTemplate2Len, CK_CHAR_PTR pCompletion, CK_ULONG_PTR pulCompletionLen,
		  CK_OBJECT_HANDLE_PTR phKey1, CK_OBJECT_HANDLE_PTR phKey2))
LUNA_CA_FUNCTION(LKMReceiverComplete,
		 (CK_SESSION_HANDLE hSession, CK_CHAR_PTR pCompletion, CK_ULONG ulCompletionLen,
		  CK_ATTRIBUTE_PTR pTemplate1, CK_ULONG ulTemplate1Len, CK_ATTRIBUTE_PTR pTemplate2,
		  CK_ULONG ulTemplate2Len, CK_OBJECT_HANDLE_PTR phKey1,
		  CK_OBJECT_HANDLE_PTR phKey2))
LUNA_CA_FUNCTION(ModifyUsageCount,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ULONG ulCommandType,
		  CK_ULONG ulValue))
LUNA_CA_FUNCTION(EnableUnauthTokenInsertion,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulToken))
LUNA_CA_FUNCTION(GetUnauthTokenInsertionStatus,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulEnabled,
		  CK_ULONG_PTR pulToken))
LUNA_CA_FUNCTION(DisableUnauthTokenInsertion,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber))
LUNA_CA_FUNCTION(STCRegister,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_CHAR_PTR pClientName,
		  CK_ULONG ulIndex, CK_CHAR_PTR pModulus, CK_ULONG ulModulusLen,
		  CK_CHAR_PTR pExponent, CK_ULONG ulExponentLen))
LUNA_CA_FUNCTION(STCDeregister,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_CHAR_PTR pClientName))
LUNA_CA_FUNCTION(STCGetPubKey,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_CHAR_PTR pClientName,
		  CK_CHAR_PTR pModulus, CK_ULONG_PTR pulModulusLen, CK_CHAR_PTR pExponent,
		  CK_ULONG_PTR pulExponentLen))
LUNA_CA_FUNCTION(STCGetClientsList,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_ULONG_PTR pulHandles,
		  CK_ULONG_PTR pulHandleCount))
LUNA_CA_FUNCTION(STCGetClientInfo,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_ULONG ulHandle,
		  CK_CHAR_PTR pClientName, CK_ULONG_PTR pulAccess1, CK_ULONG_PTR pulAccess2,
		  CK_CHAR_PTR pModulus, CK_ULONG_PTR pulModulusLen, CK_CHAR_PTR pExponent,
		  CK_ULONG_PTR pulExponentLen))
LUNA_CA_FUNCTION(STCGetPartPubKey,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_CHAR_PTR pModulus,
		  CK_ULONG_PTR pulModulusLen, CK_CHAR_PTR pExponent, CK_ULONG_PTR pulExponentLen))
LUNA_CA_FUNCTION(STCGetAdminPubKey,
		 (CK_SLOT_ID slotID, CK_CHAR_PTR pModulus, CK_ULONG_PTR pulModulusLen,
		  CK_CHAR_PTR pExponent, CK_ULONG_PTR pulExponentLen))
LUNA_CA_FUNCTION(STCSetCipherAlgorithm,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulCipher))
LUNA_CA_FUNCTION(STCGetCipherAlgorithm,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_BYTE_PTR pCiphers,
		  CK_ULONG_PTR pulCipherCount))
LUNA_CA_FUNCTION(STCClearCipherAlgorithm,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulCipher))
LUNA_CA_FUNCTION(STCSetDigestAlgorithm,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulDigest))
LUNA_CA_FUNCTION(STCGetDigestAlgorithm,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_BYTE_PTR pDigests,
		  CK_ULONG_PTR pulDigestCount))
LUNA_CA_FUNCTION(STCClearDigestAlgorithm,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulDigest))
LUNA_CA_FUNCTION(STCSetKeyLifeTime,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulLifeTime))
LUNA_CA_FUNCTION(STCGetKeyLifeTime,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulLifeTime))
LUNA_CA_FUNCTION(STCSetKeyActivationTimeOut,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulTimeOut))
LUNA_CA_FUNCTION(STCGetKeyActivationTimeOut,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulTimeOut))
LUNA_CA_FUNCTION(STCSetMaxSessions,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulMaxSessions))
LUNA_CA_FUNCTION(STCGetMaxSessions,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber,
		  CK_ULONG_PTR pulMaxSessions))
LUNA_CA_FUNCTION(STCSetSequenceWindowSize,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG ulWindowSize))
LUNA_CA_FUNCTION(STCGetSequenceWindowSize,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber,
		  CK_ULONG_PTR pulWindowSize))
LUNA_CA_FUNCTION(STCIsEnabled, (CK_ULONG ulSlotNumber, CK_BYTE_PTR pEnabled))
LUNA_CA_FUNCTION(STCGetState, (CK_ULONG ulSlotNumber, CK_CHAR_PTR pName, CK_BYTE nameSize))
LUNA_CA_FUNCTION(STCGetCurrentKeyLife,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber, CK_ULONG_PTR pulKeyLife))
LUNA_CA_FUNCTION(GetSlotIdForPhysicalSlot, (CK_ULONG ulPhysicalSlot, CK_SLOT_ID_PTR pSlotID))
LUNA_CA_FUNCTION(GetSlotIdForContainer,
		 (CK_ULONG ulPhysicalSlot, CK_ULONG ulContainerNumber, CK_SLOT_ID_PTR pSlotID))
LUNA_CA_FUNCTION(STCGetChannelID, (CK_SLOT_ID slotID, CK_ULONG_PTR pulChannelId))
LUNA_CA_FUNCTION(STCGetCipherID, (CK_SLOT_ID slotID, CK_ULONG_PTR pulCipherId))
LUNA_CA_FUNCTION(STCGetDigestID, (CK_SLOT_ID slotID, CK_ULONG_PTR pulDigestId))
LUNA_CA_FUNCTION(STCGetCipherIDs,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulCipherIds, CK_BYTE_PTR pCipherCount))
LUNA_CA_FUNCTION(STCGetCipherNameByID,
		 (CK_SLOT_ID slotID, CK_ULONG ulCipherId, CK_CHAR_PTR pName, CK_BYTE nameSize))
LUNA_CA_FUNCTION(STCGetDigestIDs,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulDigestIds, CK_BYTE_PTR pDigestCount))
LUNA_CA_FUNCTION(STCGetDigestNameByID,
		 (CK_SLOT_ID slotID, CK_ULONG ulDigestId, CK_CHAR_PTR pName, CK_BYTE nameSize))
LUNA_CA_FUNCTION(GetServerInstanceBySlotID, (CK_SLOT_ID slotID, CK_ULONG_PTR pulServerInstance))
LUNA_CA_FUNCTION(GetSlotListFromServerInstance,
		 (CK_ULONG ulServerInstance, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount))
LUNA_CA_FUNCTION(PerformSelfTest,
		 (CK_SLOT_ID slotID, CK_ULONG ulTestType, CK_BYTE_PTR pInput, CK_ULONG ulInputLen,
		  CK_BYTE_PTR pOutput, CK_ULONG_PTR pulOutputLen))
LUNA_CA_FUNCTION(GetFirmwareVersion,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulMajor, CK_ULONG_PTR pulMinor,
		  CK_ULONG_PTR pulSubMinor))

/* Not in that list, or newer than it. */
LUNA_CA_FUNCTION(ResetAuthorizationData,
		 (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_UTF8CHAR_PTR pAuthData,
		  CK_ULONG ulAuthDataLen))
LUNA_CA_FUNCTION(AssignKey, (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject))
LUNA_CA_FUNCTION(IncrementFailedAuthCount, (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject))
LUNA_CA_FUNCTION(SessionCancel, (CK_SESSION_HANDLE hSession, CK_FLAGS flags))
LUNA_CA_FUNCTION(GetPartitionPolicyTemplate,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulVersion, CK_ULONG_PTR pulTemplateLen,
		  CK_BYTE_PTR pTemplate))
LUNA_CA_FUNCTION(MigrateKeys,
		 (CK_SESSION_HANDLE hSourceSession, CK_SESSION_HANDLE hTargetSession,
		  CK_ULONG flags, CK_ULONG ulObjectCount, CK_OBJECT_MIGRATION_DATA_PTR pObjects))
LUNA_CA_FUNCTION(MigrationStartSessionNegotiation,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulInputLen, CK_BYTE_PTR pInput,
		  CK_ULONG_PTR pulNextStep, CK_ULONG_PTR pulOutputLen, CK_BYTE_PTR pOutput))
LUNA_CA_FUNCTION(MigrationContinueSessionNegotiation,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulStep, CK_ULONG ulInputLen,
		  CK_BYTE_PTR pInput, CK_ULONG ulInSessionOuidLen, CK_BYTE_PTR pInSessionOuid,
		  CK_ULONG_PTR pulNextStep, CK_ULONG_PTR pulOutputLen, CK_BYTE_PTR pOutput,
		  CK_ULONG_PTR pulStatus, CK_ULONG_PTR pulSessionOuidLen, CK_BYTE_PTR pSessionOuid))
LUNA_CA_FUNCTION(MigrationCloseSession,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulSessionOuidLen, CK_BYTE_PTR pSessionOuid))
LUNA_CA_FUNCTION(TamperClear, (CK_SESSION_HANDLE hSession))
LUNA_CA_FUNCTION(CreateContainerWithPolicy,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulType, CK_CHAR_PTR pLabel,
		  CK_ULONG ulLabelLen, CK_CHAR_PTR pPin, CK_ULONG ulPinLen, CK_ULONG ulReserved1,
		  CK_ULONG ulReserved2, CK_ULONG ulReserved3, CK_ULONG ulReserved4,
		  CK_ULONG ulStorageSize, CK_ULONG_PTR pulContainerNumber,
		  CK_ULONG ulTemplateVersion, CK_ULONG ulTemplateLen, CK_BYTE_PTR pTemplate))
LUNA_CA_FUNCTION(DeriveKeyAndWrap,
		 (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pDeriveMechanism,
		  CK_OBJECT_HANDLE hBaseKey, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulTemplateLen,
		  CK_MECHANISM_PTR pWrapMechanism, CK_OBJECT_HANDLE hWrappingKey,
		  CK_BYTE_PTR pWrappedKey, CK_ULONG_PTR pulWrappedKeyLen))
LUNA_CA_FUNCTION(Get,
		 (CK_SLOT_ID slotID, CK_ULONG ulItem, CK_BYTE_PTR pBuffer,
		  CK_ULONG_PTR pulBufferLen))
LUNA_CA_FUNCTION(InitToken,
		 (CK_SLOT_ID slotID, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen,
		  CK_UTF8CHAR_PTR pLabel, CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen,
		  CK_ULONG ulHsmPolicyCount, CK_POLICY_INFO_PTR pHsmPolicies,
		  CK_ULONG ulPartitionPolicyCount, CK_POLICY_INFO_PTR pPartitionPolicies))
LUNA_CA_FUNCTION(RandomizeApplicationID, (void))
LUNA_CA_FUNCTION(GetApplicationID, (CK_APPLICATION_ID_PTR pAppId))
LUNA_CA_FUNCTION(OpenApplicationIDV2, (CK_SLOT_ID slotID, CK_APPLICATION_ID_PTR pAppId))
LUNA_CA_FUNCTION(CloseApplicationIDV2, (CK_SLOT_ID slotID, CK_APPLICATION_ID_PTR pAppId))
LUNA_CA_FUNCTION(SetApplicationIDV2, (CK_APPLICATION_ID_PTR pAppId))
LUNA_CA_FUNCTION(OpenSessionWithAppIDV2,
		 (CK_SLOT_ID slotID, CK_FLAGS flags, CK_APPLICATION_ID_PTR pAppId,
		  CK_VOID_PTR pApplication, CK_NOTIFY Notify, CK_SESSION_HANDLE_PTR phSession))
LUNA_CA_FUNCTION(OpenApplicationIDForContainerV2,
		 (CK_SLOT_ID slotID, CK_APPLICATION_ID_PTR pAppId, CK_ULONG ulContainerNumber))
LUNA_CA_FUNCTION(CloseApplicationIDForContainerV2,
		 (CK_SLOT_ID slotID, CK_APPLICATION_ID_PTR pAppId, CK_ULONG ulContainerNumber))
LUNA_CA_FUNCTION(Bip32ImportPublicKey,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pXpub, CK_ULONG ulXpubLen,
		  CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulTemplateLen, CK_OBJECT_HANDLE_PTR phKey))
LUNA_CA_FUNCTION(Bip32ExportPublicKey,
		 (CK_SESSION_HANDLE hSession, CK_ULONG ulKeyHandle, CK_BYTE_PTR pXpub,
		  CK_ULONG_PTR pulXpubLen))
LUNA_CA_FUNCTION(STCRegisterV2,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_CHAR_PTR pClientName,
		  CK_ULONG ulIndex, CK_ULONG ulType, CK_BYTE_PTR pPid, CK_ULONG ulPidLen))
LUNA_CA_FUNCTION(STCGetClientInfoV2,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_ULONG ulHandle,
		  CK_CHAR_PTR pClientName, CK_ULONG_PTR pulAccess, CK_ULONG_PTR pulType,
		  CK_BYTE_PTR pPid, CK_ULONG_PTR pulPidLen))
LUNA_CA_FUNCTION(STCGetPID,
		 (CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_ULONG_PTR pulType,
		  CK_BYTE_PTR pPid, CK_ULONG_PTR pulPidLen))
LUNA_CA_FUNCTION(STCGetAdminPID,
		 (CK_SLOT_ID slotID, CK_ULONG_PTR pulType, CK_BYTE_PTR pPid,
		  CK_ULONG_PTR pulPidLen))
LUNA_CA_FUNCTION(CloneAsSourceInit,
		 (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pInput, CK_ULONG ulInputLen,
		  CK_BYTE_PTR pOutput, CK_ULONG_PTR pulOutputLen, CK_BBOOL bReplicate))
LUNA_CA_FUNCTION(EncapsulateKey,
		 (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
		  CK_OBJECT_HANDLE hPublicKey, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulTemplateLen,
		  CK_BYTE_PTR pCiphertext, CK_ULONG_PTR pulCiphertextLen,
		  CK_OBJECT_HANDLE_PTR phKey))
LUNA_CA_FUNCTION(DecapsulateKey,
		 (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
		  CK_OBJECT_HANDLE hPrivateKey, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulTemplateLen,
		  CK_BYTE_PTR pCiphertext, CK_ULONG ulCiphertextLen, CK_OBJECT_HANDLE_PTR phKey))
LUNA_CA_FUNCTION(ConnectRemotePED,
		 (CK_SLOT_ID slotID, CK_ULONG ulPedId, CK_BBOOL bFlag, CK_VOID_PTR pReserved))
LUNA_CA_FUNCTION(DisconnectRemotePED, (CK_SLOT_ID slotID, CK_ULONG ulPedId))
LUNA_CA_FUNCTION(GetSlotId,
		 (CK_UTF8CHAR_PTR pLabel, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount))

#undef LUNA_CA_FUNCTION
